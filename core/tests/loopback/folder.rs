//! A folder for a test's own files.

use std::path::PathBuf;

use azcred::Value;

/// A folder that goes when the test does.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("azcred-{}-{name}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Folder(path)
    }

    #[expect(clippy::disallowed_methods, reason = "a file of its own")]
    pub(crate) fn write(&self, name: &str, content: &str) -> Value {
        let path = self.0.join(name);
        std::fs::write(&path, content).unwrap();
        Value::text(path.to_str().unwrap())
    }

    pub(crate) fn path(&self) -> Value {
        Value::text(self.0.to_str().unwrap())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}
