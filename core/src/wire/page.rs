//! Pages that azcred shows in a browser: a status and one fixed sentence. Nothing that came in is ever part of one.

/// A page. Its text is fixed, so that whoever sends a browser here can't write on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    status: u16,
    sentence: &'static str,
}

impl Page {
    /// The sign-in brought what the program waits for.
    pub const SIGNED_IN: Page =
        Page { status: 200, sentence: "You have signed in. You can close this page and go back to the program." };
    /// The sign-in ended without success.
    pub const REFUSED: Page = Page {
        status: 200,
        sentence: "The sign-in did not succeed. You can close this page; the program that asked for it says why.",
    };
    /// The program no longer waits.
    pub const ENDED: Page = Page {
        status: 503,
        sentence: "The program no longer waits for this sign-in. You can close this page and start it again there.",
    };
    /// What came is not the answer of the sign-in that is under way.
    pub const NOT_OURS: Page =
        Page { status: 400, sentence: "This is not the answer of the sign-in that the program waits for." };
    /// Addressed to some other host.
    pub const WRONG_HOST: Page = Page { status: 400, sentence: "This address is for the browser on this machine." };
    /// Some other path.
    pub const NOT_FOUND: Page = Page { status: 404, sentence: "There is nothing here." };
    /// Neither GET nor POST.
    pub const WRONG_METHOD: Page = Page { status: 405, sentence: "This address takes GET and POST." };
    /// A body that no sign-in sends.
    pub const TOO_LARGE: Page = Page { status: 413, sentence: "This is more than a sign-in sends." };

    /// Its headers, besides those of the connection: nothing is loaded, kept, framed or told to other sites.
    pub const HEADERS: [(&'static str, &'static str); 5] = [
        ("content-type", "text/html; charset=utf-8"),
        (
            "content-security-policy",
            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox",
        ),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
    ];

    /// Its HTTP status.
    pub fn status(self) -> u16 {
        self.status
    }

    /// Its text, as a whole document.
    pub fn html(self) -> String {
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><meta name=\"color-scheme\" \
             content=\"light dark\"><title>Sign-in</title></head>\n<body><p>{}</p></body>\n</html>\n",
            self.sentence
        )
    }
}
