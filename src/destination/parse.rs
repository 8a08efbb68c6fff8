//! Reads exported destinations: JSON, or the form of `java.util.Properties`.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::error::ImportError;
use super::properties::{self, Property};

/// What the cockpit writes in place of a password or certificate.
pub const WITHHELD: &str = "<< Existing password/certificate removed on export >>";

/// The member that holds the destination in an answer of the Destination service ("Find a Destination").
const WRAPPER: &str = "destinationConfiguration";

/// A destination: its properties in the order of the file. `Debug` shows their names only.
#[derive(Clone, PartialEq, Eq)]
pub struct Destination {
    /// Name and value of each property.
    pub properties: Vec<(String, String)>,
    /// What stood beside the destination in an answer of the Destination service, such as `authTokens`.
    pub beside: Vec<String>,
}

impl Destination {
    /// The value of a property.
    pub fn value(&self, property: &str) -> Option<&str> {
        self.properties.iter().find(|(name, _)| name == property).map(|(_, value)| value.as_str())
    }

    /// The property `Name`, for messages.
    pub fn name(&self) -> &str {
        self.value("Name").unwrap_or("(without a name)")
    }
}

impl fmt::Debug for Destination {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.properties.iter().map(|(name, _)| name)).finish()
    }
}

/// The destinations of a file: JSON if it begins with `{` or `[`, or else properties; UTF-8 or Latin-1.
pub fn parse(bytes: &[u8]) -> Result<Vec<Destination>, ImportError> {
    // Each Latin-1 byte is the code point of the same number.
    let text = String::from_utf8(bytes.to_vec()).unwrap_or_else(|_| bytes.iter().map(|byte| char::from(*byte)).collect());
    let text = text.trim_start_matches('\u{feff}');
    let destinations = if text.trim_start().starts_with(['{', '[']) {
        json(text)?
    } else {
        vec![Destination { properties: properties::parse(text)?, beside: Vec::new() }]
    };
    if destinations.iter().all(|destination| destination.properties.is_empty()) {
        return Err(ImportError::Empty);
    }
    destinations.iter().try_for_each(|destination| unique(&destination.properties))?;
    Ok(destinations)
}

/// The destination of that name, or the only one.
pub fn select(destinations: Vec<Destination>, name: Option<&str>) -> Result<Destination, ImportError> {
    let names: Vec<String> = destinations.iter().map(|destination| destination.name().to_owned()).collect();
    let chosen = match name {
        Some(name) => destinations.into_iter().filter(|destination| destination.name() == name).collect(),
        None => destinations,
    };
    match (<[Destination; 1]>::try_from(chosen), name) {
        (Ok([destination]), _) => Ok(destination),
        (Err(chosen), Some(name)) if chosen.is_empty() => Err(ImportError::NotFound { name: name.to_owned(), names }),
        (Err(_), _) => Err(ImportError::Several { names }),
    }
}

fn unique(properties: &[Property]) -> Result<(), ImportError> {
    let mut seen = BTreeSet::new();
    match properties.iter().find(|(name, _)| !seen.insert(name)) {
        Some((property, _)) => Err(ImportError::Duplicate { property: property.clone() }),
        None => Ok(()),
    }
}

fn json(text: &str) -> Result<Vec<Destination>, ImportError> {
    let node: Node = serde_json::from_str(text).map_err(|error| ImportError::NotJson { line: error.line(), column: error.column() })?;
    match node {
        Node::List(items) => items.into_iter().map(destination).collect(),
        Node::Text(_) | Node::Object(_) => Ok(vec![destination(node)?]),
    }
}

fn destination(node: Node) -> Result<Destination, ImportError> {
    let Node::Object(mut members) = node else {
        return Err(ImportError::Empty);
    };
    let Some(wrapped) = members.iter().position(|(name, _)| name == WRAPPER) else {
        return Ok(Destination { properties: flat(members)?, beside: Vec::new() });
    };
    let Node::Object(properties) = members.swap_remove(wrapped).1 else {
        return Err(ImportError::Empty);
    };
    Ok(Destination { properties: flat(properties)?, beside: members.into_iter().map(|(name, _)| name).collect() })
}

fn flat(members: Vec<(String, Node)>) -> Result<Vec<Property>, ImportError> {
    let texts = members.into_iter().map(|(property, node)| match node {
        Node::Text(text) => Ok((property, text)),
        Node::List(_) | Node::Object(_) => Err(ImportError::NotFlat { property }),
    });
    texts.collect()
}

/// JSON with its members in order, a name twice included; booleans and numbers as texts, null as an empty one.
enum Node {
    Text(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Text(value.to_string()))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Text(value.to_string()))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Text(value.to_string()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Text(value.to_string()))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Node, E> {
        Ok(Node::Text(String::new()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Node, A::Error> {
        let mut object = Vec::new();
        while let Some(member) = members.next_entry()? {
            object.push(member);
        }
        Ok(Node::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(text: &str) -> Result<Vec<String>, String> {
        let destinations = parse(text.as_bytes()).map_err(|error| error.to_string())?;
        Ok(destinations.iter().map(|destination| destination.name().to_owned()).collect())
    }

    #[test]
    fn a_destination_is_found_in_every_form_that_it_is_exported_in() {
        for (form, text) in [
            ("a flat object", r#"{"Name": "a", "x": 1}"#),
            (
                "an answer of the Destination service",
                r#"{"owner": {"x": null}, "destinationConfiguration": {"Name": "a"}, "authTokens": []}"#,
            ),
            ("a list of one", r#"[{"Name": "a"}]"#),
            ("a list of one answer", r#" [{"destinationConfiguration": {"Name": "a"}}]"#),
            ("properties", "#\nName=a\n"),
            ("with a byte order mark", "\u{feff}{\"Name\": \"a\"}"),
        ] {
            assert_eq!(names(text), Ok(vec!["a".to_owned()]), "{form}");
        }
    }

    #[test]
    fn json_keeps_the_order_and_reads_booleans_numbers_and_null() {
        let destinations = parse(br#"{"z": true, "a": 90, "m": 1.5, "n": -1, "e": null}"#).unwrap();
        let expected = [("z", "true"), ("a", "90"), ("m", "1.5"), ("n", "-1"), ("e", "")];
        assert_eq!(destinations[0].properties, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn latin_1_is_read_where_the_bytes_are_no_utf_8() {
        assert_eq!(parse(b"Name=\xe4\n").unwrap()[0].name(), "ä");
        assert_eq!(parse("Name=ä\n".as_bytes()).unwrap()[0].name(), "ä");
    }

    #[test]
    fn what_is_no_destination_says_so_and_shows_no_value() {
        for (text, expected) in [
            ("", "the file holds no destination"),
            ("{}", "the file holds no destination"),
            ("[1]", "the file holds no destination"),
            ("{\"a\": \"s3cret\",}", "the file is no JSON: line 1, column "),
            ("{\"a\": {\"b\": \"s3cret\"}}", "a: is an object or a list"),
            ("{\"a\": \"s3cret\", \"a\": \"s3cret\"}", "a: is there twice: keep one"),
            ("a=s3cret\na=s3cret", "a: is there twice"),
            ("a=s3cret\\u1", "line 1: \\u is not followed by four"),
        ] {
            let problem = names(text).unwrap_err();
            assert!(problem.starts_with(expected) && !problem.contains("s3cret"), "{text}: {problem}");
        }
    }

    #[test]
    fn one_of_several_is_chosen_by_its_name() {
        let destinations = || parse(br#"[{"Name": "a"}, {"Name": "b"}, {"Name": "b"}]"#).unwrap();
        assert_eq!(select(destinations(), Some("a")).unwrap().name(), "a");
        let several = select(destinations(), None).unwrap_err();
        assert_eq!(several.to_string(), "the file holds 3 destinations: choose one with --select NAME out of a, b, b");
        assert_eq!(select(destinations(), Some("b")), Err(several));
        assert_eq!(select(destinations(), Some("c")).unwrap_err().to_string(), "no destination is named c: there is a, b, b");
    }

    #[test]
    fn a_destination_shows_no_value_in_its_debug_form() {
        assert_eq!(format!("{:?}", parse(b"clientSecret=s3cret").unwrap()), "[[\"clientSecret\"]]");
    }

    proptest! {
        #[test]
        fn no_file_panics(bytes in proptest::collection::vec(any::<u8>(), 0..80), json in "[\\[{]([\\[\\]{}:,\"a01 ]|\"a\":){0,40}") {
            _ = parse(&bytes);
            _ = parse(json.as_bytes()).map(|destinations| select(destinations, None));
        }
    }
}
