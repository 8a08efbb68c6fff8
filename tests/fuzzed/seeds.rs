//! Inputs to begin with: what is usual, in the form that each question reads. Keys are made at run time.

use std::io::Write as _;
use std::process::{Command, Stdio};

use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};

use super::questions::answer::HEADERS;
use super::questions::credentials::KEYS;

const END: &[u8] = &[0xff];
const PASSWORD: &str = "changeit";

/// The seeds of a question.
pub fn of(question: &str) -> Vec<Vec<u8>> {
    match question {
        "answer" => answers(),
        "certificate" => certificates(),
        "credentials" => credentials(),
        "destination" => destinations(),
        "issue" => issues(),
        "key_store" => key_stores(),
        "template" => templates(),
        _ => panic!("no seeds for {question}"),
    }
}

/// The recorded answers of our own, with a credential that none of them holds but the one that echoes it.
fn answers() -> Vec<Vec<u8>> {
    let rows = ["answers", "keycloak", "uaa"].map(|name| {
        std::fs::read_to_string(format!("{}/tests/corpus/{name}.jsonl", env!("CARGO_MANIFEST_DIR"))).expect("the recorded answers")
    });
    let rows = rows.iter().flat_map(|text| text.lines()).filter(|line| !line.is_empty());
    rows.map(|line| answer(&serde_json::from_str(line).expect("a row of JSON"))).collect()
}

fn answer(row: &Value) -> Vec<u8> {
    let grants = ["client_credentials", "password", "jwt-bearer", "saml2-bearer", "token-exchange", "refresh_token"];
    let grant = grants.iter().position(|grant| row["grant"] == *grant).unwrap_or(0);
    let status = u16::try_from(row["status"].as_u64().expect("a status")).expect("a status");
    let headers = row["headers"].as_object().into_iter().flatten();
    let known = headers.filter_map(|(name, value)| {
        let index = HEADERS.iter().position(|header| header.eq_ignore_ascii_case(name))?;
        Some([&[number(index)], value.as_str()?.as_bytes(), END].concat())
    });
    let known: Vec<Vec<u8>> = known.take(7).collect();
    let head = [&[number(grant)], &status.to_be_bytes()[..], &[0, number(known.len())], b"hunter2-hunter2", END].concat();
    [head, known.concat(), row["body"].as_str().expect("a body").as_bytes().to_vec()].concat()
}

fn number(index: usize) -> u8 {
    u8::try_from(index).expect("a byte")
}

/// A key, a certificate of its own, and another certificate behind it.
struct Identity {
    key: KeyPair,
    chain: String,
}

fn identity() -> Identity {
    let key = KeyPair::generate().expect("a key");
    let mut chain = CertificateParams::default().self_signed(&key).expect("a certificate").pem();
    chain.push_str(&CertificateParams::default().self_signed(&KeyPair::generate().expect("a key")).expect("a certificate").pem());
    Identity { key, chain }
}

fn certificates() -> Vec<Vec<u8>> {
    let Identity { key, chain } = identity();
    let key = key.serialize_pem();
    let escaped = |text: &str| text.replace('\n', "\\n");
    [(chain.clone(), key.clone()), (escaped(&chain), escaped(&key)), (key.clone(), chain.clone()), (chain, String::new())]
        .map(|(chain, key)| [chain.as_bytes(), END, key.as_bytes()].concat())
        .to_vec()
}

/// Service bindings as the SAP BTP service operator writes them (flat, as one document, of a business service), and plain Secrets.
fn credentials() -> Vec<Vec<u8>> {
    let Identity { key, chain } = identity();
    let key = key.serialize_pem();
    let xsuaa = json!({"clientid": "sb-shop!t1", "clientsecret": "s3cret-s3cret", "url": "https://sub.authentication.eu10.example.com"});
    let x509 =
        json!({"clientid": "sb-shop!t1", "certurl": "https://sub.authentication.cert.eu10.example.com", "certificate": chain, "key": key});
    let business = json!({"url": "https://orders.example.com", "uaa": xsuaa});
    let (xsuaa, x509, business) = (xsuaa.to_string(), x509.to_string(), business.to_string());
    let url = ("url", "https://tenant.accounts.ondemand.com");
    let (client, secret) = (("clientid", "sb-shop!t1"), ("clientsecret", "s3cret-s3cret"));
    [
        (0, 0, vec![client, secret, url]),
        (1, 0, vec![("credentials", &*xsuaa)]),
        (2, 0, vec![("credentials", &*x509)]),
        (0, 0, vec![("credentials", &*business)]),
        (0, 0, vec![("clientid", "a"), ("clientsecret", "b"), ("uaa", &*xsuaa)]),
        (2, 0, vec![client, ("tls.crt", &*chain), ("tls.key", &*key), ("certurl", "https://sub.cert.example.com/")]),
        (3, 0, vec![client, ("privateKey", &*key), url]),
        (0, 1, vec![client, secret, url, ("username", "eve"), ("password", "pa55word"), ("totpSecret", "JBSWY3DPEHPK3PXP")]),
        (
            4,
            1,
            vec![
                client,
                url,
                ("username", "eve"),
                ("password", "x"),
                ("totpSecret", "otpauth://totp/a?secret=JBSWY3DP&digits=8&period=60&algorithm=SHA256"),
            ],
        ),
        (0, 2, vec![client, secret, ("refresh_token", "r3fresh-t0ken"), ("tokenURL", "https://{tenant}.auth.example.com/token?a=b")]),
        (1, 0, vec![client, ("basicUsername", "gate"), ("tokenURL", " https://auth.example.com/token\n")]),
    ]
    .into_iter()
    .flat_map(|(method, grant, data)| {
        let data: Vec<Vec<u8>> = data.iter().map(|(key, value)| [&[number(key_index(key))], value.as_bytes(), END].concat()).collect();
        [0, 1].map(|flags| [&[method, grant, flags], &b"mytenant"[..], END, &data.concat()].concat())
    })
    .collect()
}

fn key_index(key: &str) -> usize {
    KEYS.iter().position(|known| *known == key).expect("a key that is known")
}

fn destinations() -> Vec<Vec<u8>> {
    const PROPERTIES: &str = "#\n#Sat Nov 21 10:00:00 UTC 2026\n#clientSecret=<< Existing password/certificate removed on export >>\n\
        Name=orders\nType=HTTP\nURL=https\\://orders.example.com\nAuthentication=OAuth2ClientCredentials\n\
        tokenServiceURL=https\\://auth.example.com/token\ntokenServiceURLType=Dedicated\nclientId=sb-shop\\!t1\n\
        tokenServicePassword=pa55word\\u00e4\ntokenServiceUser=gate\nscope=read \\\n  write\n";
    let plain = |more: Value| {
        let mut destination = json!({"Name": "Orders_1", "Type": "HTTP", "URL": "https://orders.example.com", "ProxyType": "Internet",
            "Authentication": "OAuth2ClientCredentials", "tokenServiceURL": "https://auth.example.com/token", "clientId": "shop",
            "clientSecret": "s3cret-s3cret"});
        destination.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        destination
    };
    let several =
        json!([plain(json!({})), plain(json!({"Name": "b", "Authentication": "OAuth2Password", "User": "eve", "Password": "pa55word"}))]);
    let mut files =
        vec![PROPERTIES.as_bytes().to_vec(), b"Name=\xe4\nAuthentication:NoAuthentication\n".to_vec(), several.to_string().into_bytes()];
    files.extend(
        [
            json!({}),
            json!({"Authentication": "OAuth2JWTBearer", "tokenServiceURLType": "Common", "tokenServiceURL": "https://{tenant}.auth.example.com/t"}),
            json!({"Authentication": "OAuth2SAMLBearerAssertion", "audience": "a", "tokenService.KeyStoreLocation": "a.p12", "tokenService.KeyStorePassword": "pa55word"}),
            json!({"Authentication": "OAuth2RefreshToken", "tokenServiceURL.headers.X-Zone": "z1", "tokenServiceURL.queries.a": "b", "tokenService.body.c": "d"}),
            json!({"Authentication": "OAuth2TokenExchange", "clientAssertion.destinationName": "other", "clientAssertion.type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}),
            json!({"Authentication": "OAuth2TechnicalUserPropagation", "ProxyType": "OnPremise", "TrustAll": true, "scope": "a  b",
                "tokenServiceURL.ConnectionTimeoutInSeconds": 90, "HTML5.DynamicDestination": "true", "sap-client": 100}),
        ]
        .map(|more| plain(more).to_string().into_bytes()),
    );
    files.push(
        json!({"owner": {"x": null}, "destinationConfiguration": plain(json!({})), "authTokens": [{"value": "t0ken"}]})
            .to_string()
            .into_bytes(),
    );
    files.iter().flat_map(|file| [0, 4, 15].map(|given| [&[given], &b"mytenant"[..], END, b"orders", END, file].concat())).collect()
}

fn issues() -> Vec<Vec<u8>> {
    let bodies = [
        r#"{"access_token":"abc","token_type":"bearer","expires_in":3600,"scope":"a b","refresh_token":"r","id_token":"i"}"#,
        r#"{"access_token":"e30.eyJleHAiOjE3NjcyMjU2MDB9.x"}"#,
        r#"{"authTokens":[{"type":"bearer","value":"abc","expires_in":"86400","scope":["x"]}]}"#,
        "access_token=tok-3&token_type=bearer&scope=repo%2Cgist",
    ];
    let templates = ["", "{{ access_token }}", "{% if id_token %}{{ id_token | json }}{% endif %}{{ expires_at }}"];
    let all = bodies.iter().flat_map(|body| templates.map(|template| (template, *body)));
    all.map(|(template, body)| {
        [&[0, 0x69, 0x56, 0, 0, 33], &b"5m"[..], END, b"1h", END, template.as_bytes(), END, body.as_bytes()].concat()
    })
    .collect()
}

/// Those that openssl writes: of each protection that is read, with an integrity check, and without one, so that changes reach
/// what is behind it.
fn key_stores() -> Vec<Vec<u8>> {
    let Identity { key, chain } = identity();
    let input = format!("{}{chain}", key.serialize_pem());
    let pass = format!("pass:{PASSWORD}");
    // In this order: -iter behind -nomac brings the integrity check back.
    let written = [
        &["-iter", "1"][..],
        &["-iter", "1", "-nomac"],
        &["-iter", "1", "-nomac", "-certpbe", "NONE"],
        &["-iter", "1", "-nomac", "-certpbe", "NONE", "-keypbe", "NONE"],
        &["-iter", "1", "-nomac", "-certpbe", "PBE-SHA1-3DES", "-keypbe", "PBE-SHA1-3DES"],
        &["-iter", "1", "-nomac", "-certpbe", "AES-128-CBC", "-keypbe", "AES-192-CBC"],
        &["-legacy", "-iter", "1", "-macalg", "sha1"],
        &["-macalg", "sha512"],
    ];
    let written = written.map(|protection| {
        let key_store = openssl(&[&["pkcs12", "-export", "-passout", &pass], protection].concat(), input.as_bytes());
        [PASSWORD.as_bytes(), END, &key_store].concat()
    });
    written.to_vec()
}

fn openssl(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut command = Command::new("openssl");
    let child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.expect("key stores to begin with are made by the openssl command: install it");
    child.stdin.take().expect("standard input").write_all(input).expect("openssl reads its input");
    let output = child.wait_with_output().expect("openssl ends");
    assert!(output.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn templates() -> Vec<Vec<u8>> {
    [
        "token={{ access_token }}",
        "{% if id_token %}a{% elif not scope %}b{% else %}c{% endif %}",
        r#"{"auths":{"registry.example.com":{"auth":"{{ ("oauth2:" ~ access_token) | b64encode }}"}}}"#,
        "{{- client_id | json -}} {{+ token_url | urlencode +}}\n",
        "{{ scope or client_id and token_type }}{{ (access_token == '') | json }}",
        "{{ access_token if not access_token }}{{ '}}' ~ \"{% \\\" %}\" }}",
        "{{ access_token ~ access_token ~ authorization | b64encode | urlencode | json }}",
    ]
    .iter()
    .flat_map(|template| [1, 90].map(|times| [&[times], &b"t0k.en+/="[..], END, template.as_bytes()].concat()))
    .collect()
}
