//! JavaScript values as azcred's option values.

use azcred::Value;
use napi::bindgen_prelude::{FromNapiValue as _, JsObjectValue as _, Object, Uint8ArraySlice, Unknown};
use napi::{JsValue as _, KeyCollectionMode, KeyConversion, KeyFilter, Result, ValueType};

use crate::callable;

/// Options nest twice at most; what goes deeper may be a circle.
const DEEPEST: u8 = 3;

/// A value, or `None` for `undefined`.
pub(crate) fn read(value: Unknown<'_>) -> Result<Option<Value>> {
    read_at(value, 0)
}

fn read_at(value: Unknown<'_>, depth: u8) -> Result<Option<Value>> {
    Ok(Some(match value.get_type()? {
        ValueType::Undefined => return Ok(None),
        ValueType::Null => Value::Null,
        ValueType::Boolean => Value::Bool(bool::from_unknown(value)?),
        ValueType::Number => number(f64::from_unknown(value)?),
        ValueType::String => Value::text(String::from_unknown(value)?),
        ValueType::Object if depth == DEEPEST => Value::Other("a deeply nested object".to_owned()),
        ValueType::Object if value.is_array()? => list(value, depth)?,
        ValueType::Object if value.is_typedarray()? => bytes(value),
        ValueType::Object => match class(value)? {
            Some(name) => Value::Other(format!("an object of class {name}")),
            None => Value::Map(entries_at(Object::from_unknown(value)?, depth)?),
        },
        // Only an option is called; `js/callables.js` made it.
        ValueType::Function if depth == 1 => Value::Function(callable::function(value)?),
        ValueType::Function => Value::Other("a function".to_owned()),
        ValueType::Symbol => Value::Other("a symbol".to_owned()),
        ValueType::BigInt => Value::Other("a bigint".to_owned()),
        ValueType::External | ValueType::Unknown => Value::Other("a native object".to_owned()),
    }))
}

/// The names and values of an object, or what else the value is. A promise, say, has no names: taking it for empty
/// options would choose another identity than the one that is meant.
pub(crate) fn entries(value: Unknown<'_>) -> Result<std::result::Result<Vec<(String, Value)>, String>> {
    Ok(match read(value)? {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Map(entries)) => Ok(entries),
        other => Err(what(other.as_ref()).to_owned()),
    })
}

fn entries_at(object: Object<'_>, depth: u8) -> Result<Vec<(String, Value)>> {
    let names = object.get_all_property_names(
        KeyCollectionMode::OwnOnly,
        KeyFilter::Enumerable,
        KeyConversion::NumbersToStrings,
    )?;
    let mut entries = Vec::new();
    for at in 0..names.get_array_length()? {
        let name: Unknown<'_> = names.get_element(at)?;
        if name.get_type()? == ValueType::Symbol {
            continue;
        }
        if let Some(value) = read_at(object.get_property_unchecked(name)?, depth + 1)? {
            entries.push((String::from_unknown(name)?, value));
        }
    }
    Ok(entries)
}

fn list(value: Unknown<'_>, depth: u8) -> Result<Value> {
    let array = Object::from_unknown(value)?;
    let mut values = Vec::new();
    for at in 0..array.get_array_length()? {
        values.push(read_at(array.get_element(at)?, depth + 1)?.unwrap_or(Value::Null));
    }
    Ok(Value::List(values))
}

/// A `Buffer` or another array of bytes; typed arrays of anything else are no option.
fn bytes(value: Unknown<'_>) -> Value {
    match Uint8ArraySlice::from_unknown(value) {
        Ok(bytes) => Value::Bytes(bytes.to_vec().into()),
        Err(_) => Value::Other("an array of numbers that are no bytes".to_owned()),
    }
}

/// The class of an object that is more than names and values: a promise nobody awaited, a `Date`, a `URL`.
fn class(value: Unknown<'_>) -> Result<Option<String>> {
    let constructor: Unknown<'_> = Object::from_unknown(value)?.get_c_named_property_unchecked(c"constructor")?;
    if constructor.get_type()? != ValueType::Function {
        return Ok(None);
    }
    let name: Unknown<'_> = Object::from_unknown(constructor)?.get_c_named_property_unchecked(c"name")?;
    if name.get_type()? != ValueType::String {
        return Ok(None);
    }
    let name = String::from_unknown(name)?;
    Ok((name != "Object").then_some(name))
}

fn number(number: f64) -> Value {
    /// Up to here every whole number is a float of its own.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "checked the line before")]
        return Value::Int(number as i64);
    }
    Value::Float(number)
}

/// What a value is, for a sentence that ends in "got …". Never the value.
pub(crate) fn what(value: Option<&Value>) -> &str {
    match value {
        None => "nothing (undefined)",
        Some(Value::Map(_)) => "an object",
        Some(value) => value.what(),
    }
}
