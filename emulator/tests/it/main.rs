//! The emulator over real loopback sockets.

#[cfg(test)]
mod app_service;
#[cfg(test)]
mod client;
#[cfg(test)]
mod entra;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod imds;
#[cfg(test)]
mod life;
#[cfg(test)]
mod log;
#[cfg(test)]
mod protocol;
