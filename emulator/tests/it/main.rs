//! The emulator over real loopback sockets.

#[cfg(test)]
mod app_service;
#[cfg(test)]
mod assertion;
#[cfg(test)]
mod authorize;
#[cfg(test)]
mod client;
#[cfg(test)]
mod device;
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
#[cfg(test)]
mod sources;
#[cfg(test)]
mod users;
#[cfg(test)]
mod workload;
