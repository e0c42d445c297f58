//! `CertificateCredential`: an application signs in with a certificate whose private key it holds.
//!
//! The file is looked at again for each exchange, so that a new certificate is used as soon as it is there; what can't
//! be read then leaves the one that is held.
//!
//! <https://learn.microsoft.com/entra/identity-platform/certificate-credentials>

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use ring::digest;
use zeroize::Zeroizing;

use super::entra::{Application, Client, Proof, authority};
use super::{Ask, Tenants};
use crate::certificate::{Certificate, LARGEST};
use crate::error::Error;
use crate::options::{Data, Options};
use crate::random;
use crate::request::shown;
use crate::token::Secret;
use crate::wire::client_assertion::{self, Kind};
use crate::wire::entra::{Endpoint, is_adfs};
use crate::world::World;

/// The class name.
pub(crate) const NAME: &str = "CertificateCredential";

/// From the credential's own options.
pub(crate) fn from_options(world: &World, options: &Options) -> Result<Application, Error> {
    let name = options.class(NAME);
    let authority = authority(name, world, options)?;
    let tenant_id = options.need(name, "tenant_id", options.tenant_id.as_ref())?;
    let client_id = options.need(name, "client_id", options.client_id.as_ref())?;
    let send_chain = options.send_certificate_chain == Some(true);
    let one = |got: &str| {
        let (path, data) = (options.name("certificate_path"), options.name("certificate_data"));
        Error::configuration(format!("{name}: expected {path} or {data}, got {got}"))
    };
    let held = match (&options.certificate_path, &options.certificate_data) {
        (Some(path), None) => {
            let setting = format!("option {}", options.name("certificate_path"));
            Held::of_file(name, &setting, world, path, options.password.clone(), send_chain)?
        }
        (None, Some(data)) => Held::of_data(name, "certificate_data", options, data, send_chain)?,
        (None, None) => return Err(one("none")),
        (Some(_), Some(_)) => return Err(one("both")),
    };
    let tenants = Tenants::own(world, name, Some(tenant_id), options.additionally_allowed_tenants.clone())?;
    let client = Client { credential: name, authority, client_id, proof: Proof::Certificate(held) };
    Ok(Application::new(NAME, client, tenants))
}

/// A certificate, and where a newer one may be.
#[derive(Debug)]
pub(crate) struct Held {
    newest: ArcSwap<Read>,
    file: Option<Source>,
    send_chain: bool,
    /// Of the first one: a renewed certificate is the same application.
    identity: String,
}

#[derive(Debug)]
struct Source {
    path: PathBuf,
    password: Option<Secret>,
}

/// A certificate and the SHA-256 of what it was read from.
#[derive(Debug)]
struct Read {
    certificate: Certificate,
    digest: Vec<u8>,
}

impl Read {
    fn new(content: &[u8], password: Option<&Secret>) -> Result<Read, String> {
        let certificate = Certificate::parse(content, password)?;
        Ok(Read { certificate, digest: digest(content) })
    }
}

fn digest(content: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, content).as_ref().to_vec()
}

fn content(world: &World, path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    let content = world.files.read(path, LARGEST as u64);
    content.map(Zeroizing::new).map_err(|error| format!("{} can't be read: {error}", shown(&path.to_string_lossy())))
}

impl Held {
    /// The certificate of a file, which `setting` names.
    pub(crate) fn of_file(
        credential: &str,
        setting: &str,
        world: &World,
        path: &str,
        password: Option<Secret>,
        send_chain: bool,
    ) -> Result<Held, Error> {
        let path = PathBuf::from(path);
        let read = content(world, &path).and_then(|content| Read::new(&content, password.as_ref()));
        let read = read.map_err(|sentence| Error::configuration(format!("{credential}: {setting}: {sentence}")))?;
        Ok(Held::new(read, Some(Source { path, password }), send_chain))
    }

    /// The certificate of an option's bytes.
    pub(crate) fn of_data(
        credential: &str,
        option: &str,
        options: &Options,
        data: &Data,
        send_chain: bool,
    ) -> Result<Held, Error> {
        let read = Read::new(&data.0, options.password.as_ref());
        let read = read.map_err(|sentence| options.wrong(credential, option, &sentence))?;
        Ok(Held::new(read, None, send_chain))
    }

    fn new(read: Read, file: Option<Source>, send_chain: bool) -> Held {
        let identity = read.certificate.identity().to_owned();
        Held { newest: ArcSwap::from_pointee(read), file, send_chain, identity }
    }

    /// What of it belongs to a fingerprint.
    pub(crate) fn identity(&self) -> &str {
        &self.identity
    }

    /// Reads the file again, if it changed.
    fn look(&self, world: &World) -> Result<(), String> {
        let Some(Source { path, password }) = &self.file else { return Ok(()) };
        let content = content(world, path)?;
        if digest(&content) != self.newest.load().digest {
            self.newest.store(Arc::new(Read::new(&content, password.as_ref())?));
            tracing::info!("a new certificate was read");
        }
        Ok(())
    }

    /// An assertion to the token endpoint of `tenant`, signed now.
    pub(crate) fn assertion(&self, client: &Client, ask: &Ask<'_>, tenant: &str) -> Result<Secret, Error> {
        if let Err(sentence) = self.look(ask.world) {
            tracing::warn!(credential = client.credential, "the certificate that was read before is used: {sentence}");
        }
        let kind = if is_adfs(tenant) { Kind::Adfs } else { Kind::Entra };
        let audience = client.authority.url(Endpoint::Token, tenant);
        let (now, id) = (ask.world.clock.now(), random::guid());
        let held = self.newest.load_full();
        client_assertion::client_assertion(
            &held.certificate,
            kind,
            self.send_chain,
            &client.client_id,
            &audience,
            now,
            &id,
        )
        .map_err(|sentence| Error::failed(format!("{}: {sentence}", client.credential)))
    }
}
