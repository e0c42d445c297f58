//! `azcred_call` and `azcred_reply`: a call of a function that the program gave as an option.

use std::ffi::{CString, c_char, c_void};
use std::sync::Arc;

use azcred::{Function, Reply, Secret};

use crate::credential::azcred_user_data_free;
use crate::error::text;
use crate::request;

/// What a function is told, by name. A function that shows a device code: "verification_uri", "user_code", "expires_on"
/// (Unix seconds) and "message" (a sentence with all of it). A function that gives an assertion: nothing.
///
/// `azcred_call_text`.
pub struct azcred_call {
    told: Vec<(&'static str, CString)>,
}

/// Where a function puts its answer. The last call wins; without any, the answer is "no text".
///
/// `azcred_reply_set_text`, `azcred_reply_set_error`.
pub struct azcred_reply {
    reply: Reply,
}

/// A function that is an option: reads what it is told from `call` and puts its answer into `reply`. Both are borrowed for
/// the call. It must return, and throw nothing.
pub type azcred_function = Option<extern "C" fn(user_data: *mut c_void, call: &azcred_call, reply: &mut azcred_reply)>;

type Callback = extern "C" fn(user_data: *mut c_void, call: &azcred_call, reply: &mut azcred_reply);

/// What the program gave beside a function or callback; freed with it.
pub(crate) struct UserData {
    // An address, so that it may travel to azcred's threads, which the contract of the header allows.
    address: usize,
    free: azcred_user_data_free,
}

impl UserData {
    pub(crate) fn new(pointer: *mut c_void, free: azcred_user_data_free) -> UserData {
        UserData { address: pointer.expose_provenance(), free }
    }

    pub(crate) fn pointer(&self) -> *mut c_void {
        std::ptr::with_exposed_provenance_mut(self.address)
    }
}

impl Drop for UserData {
    fn drop(&mut self) {
        if let Some(free) = self.free {
            free(self.pointer());
        }
    }
}

/// The function as core calls it.
pub(crate) fn function(callback: Callback, user_data: *mut c_void, free: azcred_user_data_free) -> Function {
    let user_data = Arc::new(UserData::new(user_data, free));
    Function::blocking(move |told| {
        let told = told.into_iter().map(|(name, told)| (name, text(&told))).collect();
        let mut reply = azcred_reply { reply: Ok(None) };
        callback(user_data.pointer(), &azcred_call { told }, &mut reply);
        reply.reply
    })
}

/// What the function is told under a name; NULL if it is told nothing of that name.
///
/// Borrows `call`; the text lives as long as it. NULL gives NULL. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_call_text(call: Option<&azcred_call>, name: *const c_char) -> *const c_char {
    let told = call.and_then(|call| call.told.iter().find(|(known, _)| request::is_name(name, known)));
    told.map_or(std::ptr::null(), |(_, text)| text.as_ptr())
}

/// Answers with a text, such as an assertion. NULL is "no text"; a text that is not UTF-8 is an error.
///
/// Borrows `reply`; copies `text`. NULL as `reply` does nothing. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_reply_set_text(reply: Option<&mut azcred_reply>, text: *const c_char) {
    if let Some(reply) = reply {
        reply.reply = if text.is_null() {
            Ok(None)
        } else {
            match request::text(text, "its text") {
                Ok(text) => Ok(Some(Secret::new(text))),
                Err(error) => Err(error.message().to_owned()),
            }
        };
    }
}

/// Answers that there is no text, with a sentence that says why and holds no secret: it becomes part of an error.
///
/// Borrows `reply`; copies `sentence`. NULL as `reply` does nothing. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn azcred_reply_set_error(reply: Option<&mut azcred_reply>, sentence: *const c_char) {
    if let Some(reply) = reply {
        reply.reply = Err(request::text(sentence, "sentence").unwrap_or_else(|_| "it gave no reason".to_owned()));
    }
}
