//! `azcred_options`: the settings of a credential, by name.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::sync::{Mutex, PoisonError};

use azcred::{Error, ErrorKind, Value};

use crate::credential::azcred_user_data_free;
use crate::error::{azcred_error, azcred_status};
use crate::function::{azcred_function, function};
use crate::guard::{guard, null, object};
use crate::request::{bytes, text};

/// Options by name, with the names of azure-identity for Python ("tenant_id", "process_timeout"). Names and types are
/// checked when a credential is made of them.
///
/// `azcred_options_new`, `azcred_options_set_text`, `azcred_options_add_text`, `azcred_options_set_bytes`,
/// `azcred_options_set_bool`, `azcred_options_set_int`, `azcred_options_set_number`, `azcred_options_set_function`,
/// `azcred_options_free`.
#[derive(Default)]
pub struct azcred_options {
    given: Mutex<Vec<(String, Value)>>,
}

impl azcred_options {
    pub(crate) fn given(&self) -> Vec<(String, Value)> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, name: String, value: Value) {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let before = given.iter().position(|(known, _)| *known == name).map(|at| given.remove(at));
        given.push((name, value));
        drop(given);
        // Outside the lock, since the last hold on a function calls its `user_data_free`.
        drop(before);
    }

    fn add(&self, name: String, value: Value) -> Result<(), Error> {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        match given.iter_mut().find(|(known, _)| *known == name) {
            None => given.push((name, Value::List(vec![value]))),
            Some((_, Value::List(values))) => values.push(value),
            Some(_) => {
                let sentence = format!("option {name}: expected a list to add to, and it was set to a single value");
                return Err(Error::new(ErrorKind::InvalidArgument, sentence));
            }
        }
        Ok(())
    }
}

/// Creates options with nothing set.
///
/// Gives an object for `azcred_options_free`. Any thread. Since 0.1.0.
#[unsafe(no_mangle)]
#[expect(clippy::unnecessary_box_returns, reason = "the caller owns a pointer")]
pub extern "C" fn azcred_options_new() -> Box<azcred_options> {
    Box::default()
}

/// Sets an option to a text; NULL as `value` means "given, and empty".
///
/// Borrows `options`; copies `name` and `value` (UTF-8). Any thread. On failure `*error_out`, if given, owns an error.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_options_set_text(
    options: Option<&azcred_options>,
    name: *const c_char,
    value: *const c_char,
    error_out: Option<&mut MaybeUninit<Option<Box<azcred_error>>>>,
) -> azcred_status {
    guard(error_out, || {
        let options = object(options, "options")?;
        let name = text(name, "name")?;
        let value = if value.is_null() { Value::Null } else { Value::text(text(value, &name)?) };
        options.set(name, value);
        Ok(())
    })
}

/// Adds a text to an option that takes a list, such as "additionally_allowed_tenants".
///
/// Borrows `options`; copies `name` and `value` (UTF-8). Any thread. On failure `*error_out`, if given, owns an error.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_options_add_text(
    options: Option<&azcred_options>,
    name: *const c_char,
    value: *const c_char,
    error_out: Option<&mut MaybeUninit<Option<Box<azcred_error>>>>,
) -> azcred_status {
    guard(error_out, || {
        let options = object(options, "options")?;
        let name = text(name, "name")?;
        let value = Value::text(text(value, &name)?);
        options.add(name, value)
    })
}

/// Sets an option to bytes, such as the content of a PKCS#12 file.
///
/// Borrows `options`; copies `name` and the `value_len` bytes of `value`, which may be NULL if there are none. Any thread.
/// On failure `*error_out`, if given, owns an error. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_options_set_bytes(
    options: Option<&azcred_options>,
    name: *const c_char,
    value: *const u8,
    value_len: usize,
    error_out: Option<&mut MaybeUninit<Option<Box<azcred_error>>>>,
) -> azcred_status {
    guard(error_out, || {
        let options = object(options, "options")?;
        let name = text(name, "name")?;
        let value = bytes(value, value_len, &name)?;
        options.set(name, Value::Bytes(value.into()));
        Ok(())
    })
}

/// Sets an option to a function, such as "func" of ClientAssertionCredential.
///
/// `callback` is called once for each answer that is needed, also several times at once, on threads of azcred's that serve
/// nothing else: it may block, and may use azcred. `user_data_free`, if given, is called exactly once, when nothing refers
/// to the function any more: these options, credentials made of them, calls in progress; on any thread, possibly inside
/// the `_free` that let go last. If this call fails, it is not called.
///
/// Borrows `options`; copies `name`. Any thread. On failure `*error_out`, if given, owns an error. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_options_set_function(
    options: Option<&azcred_options>,
    name: *const c_char,
    callback: azcred_function,
    user_data: *mut c_void,
    user_data_free: azcred_user_data_free,
    error_out: Option<&mut MaybeUninit<Option<Box<azcred_error>>>>,
) -> azcred_status {
    guard(error_out, || {
        let options = object(options, "options")?;
        let name = text(name, "name")?;
        let callback = callback.ok_or_else(|| null("callback"))?;
        options.set(name, Value::Function(function(callback, user_data, user_data_free)));
        Ok(())
    })
}

/// Sets an option to a truth value.
///
/// Borrows `options`; copies `name`. Any thread. On failure `*error_out`, if given, owns an error. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_options_set_bool(
    options: Option<&azcred_options>,
    name: *const c_char,
    value: bool,
    error_out: Option<&mut MaybeUninit<Option<Box<azcred_error>>>>,
) -> azcred_status {
    guard(error_out, || {
        object(options, "options")?.set(text(name, "name")?, Value::Bool(value));
        Ok(())
    })
}

/// Sets an option to a whole number.
///
/// Borrows `options`; copies `name`. Any thread. On failure `*error_out`, if given, owns an error. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_options_set_int(
    options: Option<&azcred_options>,
    name: *const c_char,
    value: i64,
    error_out: Option<&mut MaybeUninit<Option<Box<azcred_error>>>>,
) -> azcred_status {
    guard(error_out, || {
        object(options, "options")?.set(text(name, "name")?, Value::Int(value));
        Ok(())
    })
}

/// Sets an option to a number that may have a fraction, such as "process_timeout" in seconds.
///
/// Borrows `options`; copies `name`. Any thread. On failure `*error_out`, if given, owns an error. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_options_set_number(
    options: Option<&azcred_options>,
    name: *const c_char,
    value: f64,
    error_out: Option<&mut MaybeUninit<Option<Box<azcred_error>>>>,
) -> azcred_status {
    guard(error_out, || {
        object(options, "options")?.set(text(name, "name")?, Value::Float(value));
        Ok(())
    })
}

/// Frees options; credentials made of them have their own copy.
///
/// Consumes `options`; NULL does nothing. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_options_free(options: Option<Box<azcred_options>>) {
    drop(options);
}
