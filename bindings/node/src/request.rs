//! The arguments of `getToken` as a request.

use std::ffi::CStr;
use std::time::Duration;

use azcred::{Error, ErrorKind, TokenRequest, Value};
use napi::bindgen_prelude::{FromNapiValue as _, JsObjectValue as _, Object, Unknown};
use napi::{JsValue as _, ValueType};

use crate::error::Stop;
use crate::value::{read, what};

/// Reads scopes (text, or a list of it) and the options that are azcred's business; others are the SDK's own.
pub(crate) fn request(scopes: Unknown<'_>, options: Unknown<'_>) -> Result<TokenRequest, Stop> {
    let mut request = TokenRequest { scopes: read_scopes(scopes)?, ..TokenRequest::default() };
    let Some(options) = object("options", options)? else { return Ok(request) };
    request.tenant_id = text(c"tenantId", &options)?;
    request.claims = text(c"claims", &options)?;
    request.enable_cae = match field(c"enableCae", &options)? {
        None => false,
        Some(Value::Bool(given)) => given,
        Some(other) => return Err(wrong("enableCae", "true or false", Some(&other))),
    };
    request.min_ttl = match field(c"minTtl", &options)? {
        None => 0,
        Some(Value::Int(seconds)) if seconds >= 0 => seconds,
        Some(other) => return Err(wrong("minTtl", "whole seconds from 0 on", Some(&other))),
    };
    if let Some(options) = object("requestOptions", options.get_c_named_property_unchecked(c"requestOptions")?)? {
        request.timeout = timeout(&options)?;
    }
    Ok(request)
}

fn read_scopes(scopes: Unknown<'_>) -> Result<Vec<String>, Stop> {
    if scopes.get_type()? == ValueType::String {
        return Ok(vec![String::from_unknown(scopes)?]);
    }
    let expected = "text or a list of texts";
    match read(scopes)? {
        Some(Value::List(list)) => list
            .iter()
            .map(|scope| match scope {
                Value::Text(text) => Ok(text.expose().to_owned()),
                other => Err(argument(&format!("scopes: expected {expected}, got a list with {}", what(Some(other))))),
            })
            .collect(),
        other => Err(wrong("scopes", expected, other.as_ref())),
    }
}

/// The caller's patience. Zero means none was set, as in all options of this name.
fn timeout(options: &Object<'_>) -> Result<Option<Duration>, Stop> {
    let name = "requestOptions.timeout";
    let expected = "milliseconds from 0 on";
    let given = field(c"timeout", options)?;
    let milliseconds = match &given {
        None | Some(Value::Int(0)) => return Ok(None),
        Some(Value::Int(given)) => u64::try_from(*given).ok().map(Duration::from_millis),
        Some(Value::Float(given)) => Duration::try_from_secs_f64(given / 1000.0).ok(),
        Some(_) => None,
    };
    milliseconds.map(Some).ok_or_else(|| wrong(name, expected, given.as_ref()))
}

/// An object, if one is given.
fn object<'a>(name: &str, value: Unknown<'a>) -> Result<Option<Object<'a>>, Stop> {
    match value.get_type()? {
        ValueType::Undefined | ValueType::Null => Ok(None),
        ValueType::Object if !value.is_array()? => Ok(Some(Object::from_unknown(value)?)),
        _ => Err(wrong(name, "an object", read(value)?.as_ref())),
    }
}

/// A property that is there and not null.
fn field(name: &CStr, object: &Object<'_>) -> Result<Option<Value>, Stop> {
    let value = read(object.get_c_named_property_unchecked(name)?)?;
    Ok(value.filter(|value| *value != Value::Null))
}

fn text(name: &CStr, object: &Object<'_>) -> Result<Option<String>, Stop> {
    match field(name, object)? {
        None => Ok(None),
        Some(Value::Text(text)) => Ok(Some(text.expose().to_owned())),
        Some(other) => Err(wrong(&name.to_string_lossy(), "a string", Some(&other))),
    }
}

fn wrong(name: &str, expected: &str, got: Option<&Value>) -> Stop {
    argument(&format!("{name}: expected {expected}, got {}", what(got)))
}

fn argument(sentence: &str) -> Stop {
    Stop::Refused(Error::new(ErrorKind::InvalidArgument, format!("getToken: {sentence}")))
}
