//! Who signed in, as JavaScript has it.
#![expect(clippy::needless_pass_by_value, reason = "napi gives its functions values of their own")]

use azcred::{AuthenticationRecord, Error, ErrorKind};
use napi_derive::napi;

use crate::error::Failure;

/// `AuthenticationRecord` of `@azure/identity`, or why there is none.
#[napi(object, object_from_js = false)]
pub(crate) struct Read {
    /// The object for the caller.
    pub record: Option<Record>,
    /// Why there is none.
    pub error: Option<Failure>,
}

/// An account.
#[napi(object, object_from_js = false)]
pub(crate) struct Record {
    /// The authority's host.
    pub authority: String,
    /// The account, the same in all tenants.
    pub home_account_id: String,
    /// The application that it signed in to.
    pub client_id: String,
    /// The tenant that it signed in to.
    pub tenant_id: String,
    /// Its name.
    pub username: String,
}

impl From<AuthenticationRecord> for Record {
    fn from(record: AuthenticationRecord) -> Record {
        let AuthenticationRecord { authority, client_id, home_account_id, tenant_id, username, .. } = record;
        Record { authority, home_account_id, client_id, tenant_id, username }
    }
}

impl From<Result<AuthenticationRecord, Error>> for Read {
    fn from(record: Result<AuthenticationRecord, Error>) -> Read {
        match record {
            Ok(record) => Read { record: Some(record.into()), error: None },
            Err(error) => Read { record: None, error: Some(Failure::from(&error)) },
        }
    }
}

/// Reads the JSON text of a record.
#[napi]
pub(crate) fn read_record(text: String) -> Read {
    let wrong = |sentence| Error::new(ErrorKind::InvalidArgument, sentence);
    AuthenticationRecord::from_json(&text).map_err(wrong).into()
}
