//! Templates of `secret.data`: pure, capped, and of a small language.
//!
//! The language is the part of Jinja that writes a token into the shape a consumer reads: text, `{{ … }}` with
//! variables, texts, `~`, `|` and parentheses, and `{% if %}`. `gate` refuses all the rest before minijinja sees
//! it, for its parser recurses without a bound (`{{ ----x }}`) and its compiler computes constants
//! (`{{ "a" * 100000000 }}`): either would let one namespace's template take the whole operator down.
//! What is left has no loops and makes no value longer than its own text allows.

mod gate;

use std::collections::BTreeMap;
use std::fmt;
use std::io;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::ValueKind;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value};
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use serde::Serialize;
use thiserror::Error as ThisError;

/// The longest template, in bytes.
pub const SOURCE_MAX: usize = 64 * 1024;
/// The longest rendered value, in bytes: half of what a Secret can hold.
pub const OUTPUT_MAX: usize = 512 * 1024;
/// The longest value of a variable, in bytes: no server takes such a token in a header, and it bounds what `~` can make.
pub const VALUE_MAX: usize = 64 * 1024;
/// The steps of minijinja's machine that a template may take; a tag takes a handful.
const FUEL: u64 = 8192;
/// The longest problem that is told, in characters.
const PROBLEM_MAX: usize = 300;

/// The variables, in the order of [`Values::list`].
const VARIABLES: [&str; 8] = ["access_token", "token_type", "authorization", "expires_at", "scope", "id_token", "token_url", "client_id"];
/// The filters.
const FILTERS: [&str; 3] = ["b64encode", "json", "urlencode"];

/// What a template sees. What an answer did not have is an empty text.
#[derive(Clone, Copy)]
pub struct Values<'a> {
    /// The access token.
    pub access_token: &'a str,
    /// `Bearer`.
    pub token_type: &'a str,
    /// The whole value of an `Authorization` header.
    pub authorization: &'a str,
    /// When the token expires (RFC 3339, UTC).
    pub expires_at: &'a str,
    /// The granted scopes, separated by spaces.
    pub scope: &'a str,
    /// The `id_token` (OIDC Core §3.1.3.3).
    pub id_token: &'a str,
    /// The token endpoint.
    pub token_url: &'a str,
    /// The client id.
    pub client_id: &'a str,
}

impl<'a> Values<'a> {
    fn list(&self) -> [&'a str; VARIABLES.len()] {
        [self.access_token, self.token_type, self.authorization, self.expires_at, self.scope, self.id_token, self.token_url, self.client_id]
    }
}

/// Names the variables, never their values.
impl fmt::Debug for Values<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Values").finish_non_exhaustive()
    }
}

/// Why a template can't be used. Quotes the template where that helps, but never a value.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[error("key {key}, line {line}: {problem}")]
pub struct TemplateError {
    /// The key of `secret.data`.
    pub key: String,
    /// The line of the template, counted from 1; 1 also where it is the whole that is wrong.
    pub line: usize,
    /// What is wrong, and what would be right.
    pub problem: String,
}

impl TemplateError {
    fn new(key: &str, line: usize, problem: &str) -> Self {
        let mut cut = problem.chars();
        let mut problem: String = cut.by_ref().take(PROBLEM_MAX).collect();
        if cut.next().is_some() {
            problem.push('…');
        }
        Self { key: key.to_owned(), line, problem }
    }

    /// minijinja's syntax errors quote the template only.
    fn syntax(key: &str, error: &Error) -> Self {
        let problem = error.detail().map_or_else(|| error.kind().to_string(), ToOwned::to_owned);
        Self::new(key, error.line().unwrap_or(1), &problem)
    }

    /// What goes wrong while rendering is told in our words alone: a detail of minijinja's could hold a value.
    fn rendering(key: &str, error: &Error) -> Self {
        let ours = std::error::Error::source(error).and_then(|source| source.downcast_ref::<FilterError>());
        let problem = match (ours, error.kind()) {
            (Some(problem), _) => problem.to_string(),
            (None, ErrorKind::WriteFailure) => format!("the rendered value is longer than {} KiB", OUTPUT_MAX / 1024),
            (None, ErrorKind::OutOfFuel) => "takes too many steps to render: leave expressions out".to_owned(),
            (None, kind) => format!("can't be rendered: {kind}"),
        };
        Self::new(key, error.line().unwrap_or(1), &problem)
    }
}

/// A parsed template.
#[derive(Debug, Clone)]
pub struct Template {
    key: String,
    /// Holds the template under its key, the filters, and nothing else.
    environment: Environment<'static>,
}

impl Template {
    /// Parses the template of a key of `secret.data`. Unknown variables and filters are found here.
    pub fn parse(key: &str, source: &str) -> Result<Self, TemplateError> {
        if source.len() > SOURCE_MAX {
            let problem = format!("the template is longer than {} KiB", SOURCE_MAX / 1024);
            return Err(TemplateError::new(key, 1, &problem));
        }
        gate::check(source).map_err(|refusal| TemplateError::new(key, refusal.line, &refusal.problem))?;
        let mut environment = environment();
        environment.add_template_owned(key.to_owned(), source.to_owned()).map_err(|error| TemplateError::syntax(key, &error))?;
        Ok(Self { key: key.to_owned(), environment })
    }

    /// Puts the values in.
    pub fn render(&self, values: &Values<'_>) -> Result<SecretString, TemplateError> {
        let named = || VARIABLES.into_iter().zip(values.list());
        if let Some((name, _)) = named().find(|(_, value)| value.len() > VALUE_MAX) {
            let problem = format!("{name} is longer than {} KiB, which no template takes", VALUE_MAX / 1024);
            return Err(TemplateError::new(&self.key, 1, &problem));
        }
        let context: BTreeMap<&str, Value> = named().map(|(name, value)| (name, Value::from(value))).collect();
        let mut output = Capped::new();
        self.environment
            .get_template(&self.key)
            .and_then(|template| template.render_captured_to(context, &mut output))
            .map_err(|error| TemplateError::rendering(&self.key, &error))?;
        Ok(output.into_secret())
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    if let Ok(syntax) = SyntaxConfig::builder().keep_trailing_newline(true).build() {
        environment.set_syntax(syntax);
    }
    environment.set_fuel(Some(FUEL));
    environment.add_filter("b64encode", |value: &Value| Ok::<_, Error>(BASE64_STANDARD.encode(text(value)?)));
    environment.add_filter("json", json);
    environment.add_filter("urlencode", |value: &Value| Ok::<_, Error>(percent_encoded(text(value)?)));
    environment
}

/// What a filter can't take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ThisError)]
enum FilterError {
    #[error("a filter was given no text, but true, false, or an `if` without its `else`")]
    NoText,
    #[error("a filter was given more than {} KiB", OUTPUT_MAX / 1024)]
    TooLong,
}

impl From<FilterError> for Error {
    fn from(error: FilterError) -> Self {
        Self::from(ErrorKind::InvalidOperation).with_source(error)
    }
}

/// The text that a filter was given; the cap keeps chains of filters from growing without bound.
fn text(value: &Value) -> Result<&str, FilterError> {
    let text = value.as_str().ok_or(FilterError::NoText)?;
    if text.len() > OUTPUT_MAX { Err(FilterError::TooLong) } else { Ok(text) }
}

/// A JSON value (RFC 8259): a text with its quotes, or `true` and `false`.
fn json(value: &Value) -> Result<String, Error> {
    if value.kind() == ValueKind::Bool {
        return Ok(value.is_true().to_string());
    }
    Ok(serde_json::to_string(text(value)?).unwrap_or_default())
}

/// RFC 3986 §2.1: all but the unreserved characters becomes `%XX`, a space `%20`.
fn percent_encoded(text: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).map_or('0', |digit| char::from(*digit));
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.extend(['%', digit(byte >> 4), digit(byte & 0x0f)]);
        }
    }
    encoded
}

/// Takes what is rendered, up to [`OUTPUT_MAX`]. Wiped in the end, and where it has to move to grow.
struct Capped(Zeroizing<Vec<u8>>);

impl Capped {
    fn new() -> Self {
        Self(Zeroizing::new(Vec::with_capacity(8 * 1024)))
    }

    fn into_secret(self) -> SecretString {
        // minijinja writes whole `str`s, so that this is always UTF-8.
        SecretString::from(str::from_utf8(&self.0).unwrap_or_default())
    }
}

impl io::Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.0.len() + bytes.len();
        if length > OUTPUT_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        if length > self.0.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(length * 2));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What the Destination service calls its answer's tokens.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AuthTokens<'a> {
    auth_tokens: [AuthToken<'a>; 1],
}

/// One entry of `authTokens`, as the BTP Destination service answers to "Find a Destination".
#[derive(Serialize)]
struct AuthToken<'a> {
    r#type: &'a str,
    value: &'a str,
    http_header: HttpHeader<'a>,
}

#[derive(Serialize)]
struct HttpHeader<'a> {
    key: &'static str,
    value: &'a str,
}

/// The token in the form of a BTP Destination service answer: the text of the key `auth_tokens.json`.
///
/// Without `expires_in`, which counts from the moment of an answer: in a Secret it would be wrong a second later.
/// The key `expires_at` beside it says when.
pub fn auth_tokens_json(values: &Values<'_>) -> SecretString {
    let header = HttpHeader { key: "Authorization", value: values.authorization };
    let tokens = AuthTokens { auth_tokens: [AuthToken { r#type: values.token_type, value: values.access_token, http_header: header }] };
    let length = values.access_token.len() + values.authorization.len() + 256;
    let mut text = Zeroizing::new(Vec::with_capacity(length));
    // Writing texts to a `Vec` can't fail.
    _ = serde_json::to_writer(&mut *text, &tokens);
    SecretString::from(str::from_utf8(&text).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use secrecy::ExposeSecret as _;

    const VALUES: Values<'_> = Values {
        access_token: "t0k.en+/=",
        token_type: "Bearer",
        authorization: "Bearer t0k.en+/=",
        expires_at: "2030-01-02T03:04:05Z",
        scope: "",
        id_token: "",
        token_url: "https://auth.example.com/token?a=b c",
        client_id: "say \"hi\"\n",
    };

    fn rendered(source: &str) -> Result<String, String> {
        let template = Template::parse("k", source).map_err(|error| error.to_string())?;
        template.render(&VALUES).map(|text| text.expose_secret().to_owned()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_template_writes_the_token_into_a_consumers_shape() {
        for (meaning, source, expected) in [
            ("text stays as it is, line ends too", "a { b } #}\n\n", "a { b } #}\n\n"),
            ("a variable", "token={{ access_token }}", "token=t0k.en+/="),
            ("no white space needed", "{{access_token}}", "t0k.en+/="),
            ("a minus takes white space away", "a  {{- token_type -}}  b", "aBearerb"),
            ("a plus keeps it", "a {{+ token_type +}} b", "a Bearer b"),
            ("texts are joined", "{{ 'a' ~ \"b\" ~ token_type }}", "abBearer"),
            ("Base64 with padding", "{{ 'ab' | b64encode }}", "YWI="),
            ("JSON with its quotes", "{{ client_id | json }}", r#""say \"hi\"\n""#),
            ("JSON of a comparison", "{{ (id_token == '') | json }}", "true"),
            ("percent-encoding, not form-encoding", "{{ 'a b+/~ä' | urlencode }}", "a%20b%2B%2F~%C3%A4"),
            ("filters one after another", "{{ access_token | b64encode | urlencode }}", "dDBrLmVuKy89"),
            ("an empty value", "[{{ id_token }}{{ scope | json }}]", "[\"\"]"),
            ("a block", "{% if id_token %}a{% elif not scope %}b{% else %}c{% endif %}", "b"),
            ("a choice in an expression", "{{ scope if scope else 'none' }}", "none"),
            ("or takes the first that is not empty", "{{ scope or client_id and token_type }}", "Bearer"),
            ("marks in a text are text", "{{ '}}' ~ \"{% \\\" %}\" }}", "}}{% \" %}"),
            ("nothing is escaped for HTML", "{{ '<&>' }}", "<&>"),
            ("an empty template", "", ""),
        ] {
            assert_eq!(rendered(source).as_deref(), Ok(expected), "{meaning}");
        }
    }

    #[test]
    fn a_docker_configuration_holds_user_and_token_in_base64() {
        let source = r#"{"auths":{"registry.example.com":{"auth":"{{ ("oauth2:" ~ access_token) | b64encode }}"}}}"#;
        let text = rendered(source).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let auth = json["auths"]["registry.example.com"]["auth"].as_str().unwrap();
        assert_eq!(BASE64_STANDARD.decode(auth).unwrap(), b"oauth2:t0k.en+/=");
    }

    #[test]
    fn what_is_not_part_of_the_language_is_refused_by_key_line_and_name() {
        let error = Template::parse(".dockerconfigjson", "{{ access_token | foo }}").unwrap_err();
        let expected = "key .dockerconfigjson, line 1: unknown filter \"foo\"; the filters are b64encode, json and urlencode";
        assert_eq!(error.to_string(), expected);
        for (source, expected) in [
            ("{{ token }}", "line 1: unknown variable \"token\"; the variables are access_token, token_type, "),
            ("\n{% if x %}{% endif %}", "line 2: unknown variable \"x\""),
            ("{{ scope | upper }}", "line 1: unknown filter \"upper\""),
            ("{{ scope | safe }}", "line 1: unknown filter \"safe\""),
            ("{{ range(3) }}", "line 1: unknown variable \"range\""),
            ("{{ scope is defined }}", "line 1: unknown variable \"is\""),
            ("{{ scope() }}", "line 1: nothing can be called"),
            ("{{ scope | json() }}", "line 1: nothing can be called"),
            ("{{ scope[0] }}", "line 1: \"[\" has no meaning here"),
            ("{{ scope.upper }}", "line 1: \".\" has no meaning here"),
            ("{{ 'a' * 100000000 }}", "line 1: \"*\" has no meaning here"),
            ("{{ -scope }}", "line 1: \"-\" has no meaning here"),
            ("{{ 1 }}", "line 1: \"1\" has no meaning here"),
            ("{{ ä }}", "line 1: \"ä\" has no meaning here"),
            (
                "{% for a in scope %}{% endfor %}",
                "line 1: \"for\" is not part of the language: {% … %} begins with one of if, elif, else and endif",
            ),
            ("\n\n{% set a = scope %}", "line 3: \"set\" is not part"),
            ("{% raw %}{{{% endraw %}", "line 1: \"raw\" is not part"),
            ("{% include 'x' %}", "line 1: \"include\" is not part"),
            ("{% 'x' %}", "line 1: {% … %} begins with one of"),
            ("{# x #}", "line 1: {# begins a comment"),
            ("{{ scope", "line 1: a tag is not closed: }} is missing"),
            ("{{ 'scope }}", "line 1: a text is not closed"),
            ("{{ (scope }}", "line 1: a ( is not closed"),
            ("{{ scope) }}", "line 1: a ) closes nothing"),
            ("{{ }}", "line 1: unexpected end of variable block"),
            ("{{ scope scope }}", "line 1: "),
            ("a\n{% if scope %}", "line 2: unexpected end of input"),
            ("{% endif %}", "line 1: "),
        ] {
            let problem = rendered(source).unwrap_err();
            assert!(problem.starts_with(&format!("key k, {expected}")), "{source}: {problem}");
        }
    }

    #[test]
    fn what_would_take_the_operator_down_is_refused() {
        let many = |piece: &str| piece.repeat(SOURCE_MAX / piece.len() - 16);
        for (meaning, source) in [
            ("signs that the parser follows down its stack", format!("{{{{ {}scope }}}}", many("-"))),
            ("and words", format!("{{{{ {}scope }}}}", many("not "))),
            ("and parentheses", format!("{{{{ {}scope{} }}}}", "(".repeat(30_000), ")".repeat(30_000))),
            ("and choices", format!("{{{{ {}scope }}}}", many("scope if scope else "))),
            ("and blocks", many("{% if scope %}")),
            ("and alternatives", format!("{{% if scope %}}{}{{% endif %}}", many("{% elif scope %}"))),
            ("a sum as deep as it is long", format!("{{{{ scope{} }}}}", many("~scope"))),
            ("filters that grow their input", format!("{{{{ scope{} }}}}", many("|b64encode"))),
            ("more steps than there is fuel", many("{{scope}}")),
            ("more than is read", "a".repeat(SOURCE_MAX + 1)),
        ] {
            let problem = rendered(&source).expect_err(meaning);
            assert!(problem.len() < 200, "{problem}");
        }
    }

    #[test]
    fn the_deepest_template_that_is_taken_fits_the_stack() {
        let blocks = gate_depth("{% if not scope %}", "{% endif %}", 32);
        assert_eq!(rendered(&format!("{}a{}", blocks.0, blocks.1)).as_deref(), Ok("a"));
        let (open, close) = gate_depth("(", ")", 15);
        assert_eq!(rendered(&format!("{{{{ {open}token_type{close} }}}}")).as_deref(), Ok("Bearer"));
    }

    fn gate_depth(open: &str, close: &str, times: usize) -> (String, String) {
        (open.repeat(times), close.repeat(times))
    }

    #[test]
    fn output_over_the_cap_is_an_error_that_shows_no_value() {
        let token = "s3cret".repeat(VALUE_MAX / 6);
        let values = Values { access_token: &token, ..VALUES };
        let nine = ["access_token"; 9].join(" ~ ");
        for (source, expected) in [
            (&*format!("\n{{{{ {nine} }}}}"), "line 1: the rendered value is longer than 512 KiB"),
            (&*format!("{{{{ ({nine}) | json }}}}"), "line 1: a filter was given more than 512 KiB"),
            ("{{ (access_token == '') | b64encode }}", "line 1: a filter was given no text"),
            ("{{ access_token if not access_token }}{{ (access_token if scope) | json }}", "line 1: a filter was given no text"),
        ] {
            let error = Template::parse("k", source).unwrap().render(&values).unwrap_err();
            assert!(error.to_string().starts_with(&format!("key k, {expected}")), "{source}: {error}");
            assert!(!format!("{error} {error:?}").contains("s3cret"));
        }
        let long = "s3cret".repeat(VALUE_MAX);
        let error = Template::parse("k", "a").unwrap().render(&Values { id_token: &long, ..VALUES }).unwrap_err();
        assert_eq!(error.problem, "id_token is longer than 64 KiB, which no template takes");
    }

    #[test]
    fn values_and_templates_show_no_token_in_their_debug_form() {
        let template = Template::parse("k", "{{ access_token }}").unwrap();
        let secret = template.render(&VALUES).unwrap();
        assert!(!format!("{VALUES:?} {template:?} {secret:?}").contains("t0k"));
    }

    #[test]
    fn auth_tokens_are_an_array_as_the_destination_service_answers() {
        let text = auth_tokens_json(&VALUES);
        let expected = serde_json::json!({"authTokens": [{"type": "Bearer", "value": "t0k.en+/=",
            "http_header": {"key": "Authorization", "value": "Bearer t0k.en+/="}}]});
        assert_eq!(serde_json::from_str::<serde_json::Value>(text.expose_secret()).unwrap(), expected);
    }

    const PIECES: &[&str] = &[
        "{{",
        "}}",
        "{%",
        "%}",
        "{#",
        "#}",
        "-",
        "+",
        " ",
        "\n",
        "\"",
        "'",
        "\\",
        "|",
        "~",
        "(",
        ")",
        "==",
        "!=",
        "[",
        ":",
        "*",
        ".",
        "1",
        "if ",
        "elif ",
        "else ",
        "endif ",
        "not ",
        "and ",
        "or ",
        "for ",
        "in ",
        "is ",
        "set ",
        "raw ",
        "access_token",
        "scope",
        "id_token",
        "b64encode",
        "json",
        "urlencode",
        "range",
        "{{ scope }}",
        "{{ access_token | json }}",
        "{% if scope %}",
        "{% endif %}",
        "ä",
    ];

    /// Templates out of the language's pieces, in any order, with foreign ones between them.
    fn templates() -> impl Strategy<Value = String> {
        prop_oneof![
            proptest::collection::vec(proptest::sample::select(PIECES), 0..40).prop_map(|pieces| pieces.concat()),
            proptest::collection::vec(proptest::sample::select(PIECES), 0..12).prop_map(|pieces| format!("{{{{ {} }}}}", pieces.join(" "))),
            "\\PC{0,60}",
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn no_template_panics_or_renders_more_than_the_cap(source in templates(), token in "[a-z]{0,8}", times in 0..8000_usize) {
            let token = token.repeat(times);
            let values = Values { access_token: &token, ..VALUES };
            if let Ok(template) = Template::parse("k", &source) && let Ok(text) = template.render(&values) {
                prop_assert!(text.expose_secret().len() <= OUTPUT_MAX);
            }
        }
    }
}
