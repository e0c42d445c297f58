//! `azcred doctor`: what each source of tokens would do here, and why. No secret in it.

mod check;
mod host;
mod remedy;
mod show;

use std::time::Duration;

use azcred::{Credential, Spelling, TokenRequest, Value, World};
use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use self::check::Check;
use self::host::Host;

/// What to ask for, and how to print what came of it.
#[derive(Args, Debug)]
#[command(
    after_help = "It asks each named identity and each member of the default chain for a token, as programs do, and prints \
    none.\n\nExamples:\n  azcred doctor\n  azcred doctor --resource https://storage.azure.com --json"
)]
pub(super) struct Arguments {
    /// The resource to ask for.
    #[arg(long, value_name = "RESOURCE", default_value = "https://management.azure.com",
        value_parser = NonEmptyStringValueParser::new())]
    resource: String,
    /// How long to wait for each at most, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout: u64,
    /// Print an object for programs.
    #[arg(long)]
    json: bool,
}

/// All that is known.
struct Report {
    resource: String,
    host: Host,
    /// Named identities, by name.
    identities: Vec<(String, Check)>,
    /// The configuration's file, or what is wrong with it.
    file: Option<String>,
    trouble: Option<String>,
    /// The members of the default chain, or why there is no such chain.
    chain: Result<Vec<Check>, String>,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), String> {
    let report = Report::of(arguments);
    show::show(&report, arguments.json)?;
    let mut checks = report.identities.iter().map(|(_, check)| check).chain(report.chain.iter().flatten());
    if checks.any(Check::gave_a_token) { Ok(()) } else { Err("nobody gives a token here".to_owned()) }
}

impl Report {
    fn of(arguments: &Arguments) -> Report {
        let world = World::real();
        let timeout = Some(Duration::from_secs(arguments.timeout));
        let request = TokenRequest { timeout, ..TokenRequest::resource(&arguments.resource) };
        let configured = world.host_identities();
        let named: Vec<(String, Result<Credential, String>)> =
            configured.names.iter().map(|name| (name.clone(), of_name(name))).collect();
        let chain = Credential::new("DefaultAzureCredential", Vec::new(), Spelling::Snake);
        let chain = chain.map(|chain| chain.members()).map_err(|error| error.message().to_owned());
        // All at once: some wait for their own time-outs.
        let (identities, members, host) = std::thread::scope(|scope| {
            let ask = |credential: Credential| {
                let request = &request;
                scope.spawn(move || Check::of(&credential, request))
            };
            let named: Vec<_> = named.into_iter().map(|(name, made)| (name, made.map(ask))).collect();
            let members = chain.map(|members| members.into_iter().map(ask).collect::<Vec<_>>());
            let host = Host::of(&world);
            let told = |check: std::thread::ScopedJoinHandle<'_, Check>| {
                check.join().unwrap_or_else(|_| Check::wrong("a bug in azcred was contained; please report it"))
            };
            let identities = named
                .into_iter()
                .map(|(name, made)| (name, made.map_or_else(|sentence| Check::wrong(&sentence), told)))
                .collect();
            (identities, members.map(|members| members.into_iter().map(told).collect()), host)
        });
        // No file at all is no trouble: most hosts have none.
        let is_absent = configured.path.is_none() && super::variable("AZCRED_CONFIG").is_none();
        let trouble = configured.error.map(|error| error.message().to_owned());
        Report {
            resource: arguments.resource.clone(),
            host,
            identities,
            file: configured.path.map(|path| path.display().to_string()),
            trouble: trouble.filter(|sentence| !(is_absent && sentence.contains("has no configuration"))),
            chain: members,
        }
    }
}

fn of_name(name: &str) -> Result<Credential, String> {
    let options = vec![("identity".to_owned(), Value::text(name))];
    Credential::new("HostCredential", options, Spelling::Snake).map_err(|error| error.message().to_owned())
}
