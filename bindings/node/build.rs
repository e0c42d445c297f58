//! Sets the linker's arguments for a library that Node loads; on Linux it stays loaded, since azcred's thread runs in it.

fn main() {
    napi_build::setup();
}
