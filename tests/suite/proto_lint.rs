//! buf's STANDARD and COMMENTS rules, as far as this contract can break them, on the compiled
//! descriptors: the contract stays clean where buf itself cannot be run.

use std::{collections::HashMap, path::Path};

use mmsfit::grpc::DESCRIPTORS;
use prost_reflect::{
    DescriptorPool,
    prost_types::{
        DescriptorProto, EnumDescriptorProto, FileDescriptorProto, ServiceDescriptorProto,
    },
};

/// What is wrong, as `file: rule: name`.
#[derive(Default)]
struct Findings(Vec<String>);

impl Findings {
    fn check(&mut self, ok: bool, file: &str, rule: &str, name: &str) {
        if !ok {
            self.0.push(format!("{file}: {rule}: {name}"));
        }
    }
}

/// Leading comments by the path of what they stand before (descriptor.proto, SourceCodeInfo).
struct Comments(HashMap<Vec<i32>, String>);

impl Comments {
    fn of(file: &FileDescriptorProto) -> Self {
        let locations = file.source_code_info.iter().flat_map(|info| &info.location);
        Self(locations.map(|l| (l.path.clone(), l.leading_comments().to_owned())).collect())
    }

    fn at(&self, path: &[i32]) -> bool {
        self.0.get(path).is_some_and(|text| !text.trim().is_empty())
    }
}

fn join(path: &[i32], more: [usize; 2]) -> Vec<i32> {
    let more = more.map(|n| i32::try_from(n).expect("few enough"));
    path.iter().copied().chain(more).collect()
}

fn is_pascal(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_alphanumeric())
}

fn is_snake(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('_')
        && !name.contains("__")
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// `ReasonCode` → `REASON_CODE`.
fn screaming(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_uppercase());
    }
    out
}

fn lint_message(
    message: &DescriptorProto,
    path: &[i32],
    file: &str,
    comments: &Comments,
    found: &mut Findings,
) {
    // What the compiler makes of `map<...>` has no comments of its own.
    if message.options.as_ref().is_some_and(|options| options.map_entry()) {
        return;
    }
    let name = message.name();
    found.check(is_pascal(name), file, "MESSAGE_PASCAL_CASE", name);
    found.check(comments.at(path), file, "COMMENT_MESSAGE", name);
    let synthetic: Vec<i32> = message
        .field
        .iter()
        .filter(|field| field.proto3_optional())
        .filter_map(|field| field.oneof_index)
        .collect();
    for (i, field) in message.field.iter().enumerate() {
        let full = format!("{name}.{}", field.name());
        found.check(is_snake(field.name()), file, "FIELD_LOWER_SNAKE_CASE", &full);
        found.check(comments.at(&join(path, [2, i])), file, "COMMENT_FIELD", &full);
    }
    for (i, oneof) in message.oneof_decl.iter().enumerate() {
        if synthetic.contains(&i32::try_from(i).expect("few")) {
            continue;
        }
        let full = format!("{name}.{}", oneof.name());
        found.check(is_snake(oneof.name()), file, "ONEOF_LOWER_SNAKE_CASE", &full);
        found.check(comments.at(&join(path, [8, i])), file, "COMMENT_ONEOF", &full);
    }
    for (i, nested) in message.nested_type.iter().enumerate() {
        lint_message(nested, &join(path, [3, i]), file, comments, found);
    }
    for (i, nested) in message.enum_type.iter().enumerate() {
        lint_enum(nested, &join(path, [4, i]), file, comments, found);
    }
}

fn lint_enum(
    kind: &EnumDescriptorProto,
    path: &[i32],
    file: &str,
    comments: &Comments,
    found: &mut Findings,
) {
    let name = kind.name();
    let prefix = screaming(name) + "_";
    found.check(is_pascal(name), file, "ENUM_PASCAL_CASE", name);
    found.check(comments.at(path), file, "COMMENT_ENUM", name);
    let aliased = kind.options.as_ref().is_some_and(|options| options.allow_alias());
    found.check(!aliased, file, "ENUM_NO_ALLOW_ALIAS", name);
    let zero = kind.value.first().map(|value| (value.number(), value.name().to_owned()));
    let zero_is_valid = zero == Some((0, format!("{prefix}UNSPECIFIED")));
    found.check(zero_is_valid, file, "ENUM_ZERO_VALUE_SUFFIX", name);
    for (i, value) in kind.value.iter().enumerate() {
        let case =
            value.name().chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        found.check(case, file, "ENUM_VALUE_UPPER_SNAKE_CASE", value.name());
        found.check(value.name().starts_with(&prefix), file, "ENUM_VALUE_PREFIX", value.name());
        found.check(comments.at(&join(path, [2, i])), file, "COMMENT_ENUM_VALUE", value.name());
    }
}

fn lint_service(
    service: &ServiceDescriptorProto,
    path: &[i32],
    file: &str,
    comments: &Comments,
    used: &mut Vec<String>,
    found: &mut Findings,
) {
    let name = service.name();
    found.check(is_pascal(name), file, "SERVICE_PASCAL_CASE", name);
    found.check(name.ends_with("Service"), file, "SERVICE_SUFFIX", name);
    found.check(comments.at(path), file, "COMMENT_SERVICE", name);
    for (i, rpc) in service.method.iter().enumerate() {
        let full = format!("{name}.{}", rpc.name());
        found.check(is_pascal(rpc.name()), file, "RPC_PASCAL_CASE", &full);
        found.check(comments.at(&join(path, [2, i])), file, "COMMENT_RPC", &full);
        for (kind, suffix, rule) in [
            (rpc.input_type(), "Request", "RPC_REQUEST_STANDARD_NAME"),
            (rpc.output_type(), "Response", "RPC_RESPONSE_STANDARD_NAME"),
        ] {
            let wanted = format!(".mmsfit.v1.{}{suffix}", rpc.name());
            found.check(kind == wanted, file, rule, &full);
            let unique = !used.iter().any(|other| other == kind);
            found.check(unique, file, "RPC_REQUEST_RESPONSE_UNIQUE", &full);
            used.push(kind.to_owned());
        }
    }
}

/// All files of the package, and what is wrong with them.
fn lint(files: &[&FileDescriptorProto]) -> Findings {
    let mut found = Findings::default();
    let mut used = Vec::new();
    for file in files {
        let name = file.name();
        let comments = Comments::of(file);
        let folder = Path::new(name).parent().and_then(Path::to_str).unwrap_or("");
        let package = file.package();
        found.check(package.replace('.', "/") == folder, name, "PACKAGE_DIRECTORY_MATCH", package);
        found.check(package.ends_with(".v1"), name, "PACKAGE_VERSION_SUFFIX", package);
        found.check(file.syntax() == "proto3", name, "SYNTAX_SPECIFIED", file.syntax());
        let stem = Path::new(name).file_stem().and_then(|s| s.to_str()).unwrap_or("");
        found.check(is_snake(stem), name, "FILE_LOWER_SNAKE_CASE", stem);
        let public = file.public_dependency.is_empty() && file.weak_dependency.is_empty();
        found.check(public, name, "IMPORT_NO_PUBLIC", name);
        for import in &file.dependency {
            let stem = import.rsplit('/').next().unwrap_or("").trim_end_matches(".proto");
            let text = std::fs::read_to_string(
                Path::new(env!("CARGO_MANIFEST_DIR")).join("proto").join(name),
            )
            .expect("the file that was compiled");
            let imported = files.iter().find(|f| f.name() == import);
            let types = imported.map(|f| {
                f.message_type
                    .iter()
                    .map(|m| m.name())
                    .chain(f.enum_type.iter().map(|e| e.name()))
                    .any(|t| text.contains(&format!("{t} ")))
            });
            let used = types.unwrap_or_else(|| text.to_lowercase().contains(&format!(".{stem} ")));
            found.check(used, name, "IMPORT_USED", import);
        }
        for (i, message) in file.message_type.iter().enumerate() {
            lint_message(message, &join(&[], [4, i]), name, &comments, &mut found);
        }
        for (i, kind) in file.enum_type.iter().enumerate() {
            lint_enum(kind, &join(&[], [5, i]), name, &comments, &mut found);
        }
        for (i, service) in file.service.iter().enumerate() {
            lint_service(service, &join(&[], [6, i]), name, &comments, &mut used, &mut found);
        }
    }
    found
}

fn files() -> Vec<FileDescriptorProto> {
    let pool = DescriptorPool::decode(DESCRIPTORS).expect("valid descriptors");
    let ours = pool.files().filter(|file| file.package_name().starts_with("mmsfit"));
    ours.map(|file| file.file_descriptor_proto().clone()).collect()
}

#[test]
fn the_contract_is_clean() {
    let files = files();
    assert!(files.len() >= 5, "the files are there");
    let found = lint(&files.iter().collect::<Vec<_>>());
    assert!(found.0.is_empty(), "{}", found.0.join("\n"));
}

#[test]
fn byte_counts_are_32_bits() {
    use prost_reflect::Kind;
    let pool = DescriptorPool::decode(DESCRIPTORS).expect("valid descriptors");
    let ours = pool.all_messages().filter(|m| m.package_name() == "mmsfit.v1");
    for field in ours.flat_map(|m| m.fields().collect::<Vec<_>>()) {
        let wide = matches!(
            field.kind(),
            Kind::Int64 | Kind::Uint64 | Kind::Sint64 | Kind::Fixed64 | Kind::Sfixed64
        );
        assert!(!wide, "{}: a 64-bit number is a string in JSON", field.full_name());
    }
}

#[test]
fn the_rules_find_what_they_look_for() {
    let mut file = files().into_iter().find(|f| f.name().ends_with("adaptation.proto")).expect("");
    let message = &mut file.message_type[0];
    message.field[0].name = Some("requestId".into());
    message.name = Some("adaptRequest".into());
    let kind = &mut file.enum_type[0];
    kind.value[0].name = Some("EFFORT_NONE".into());
    kind.value[1].name = Some("FAST".into());
    file.service[0].name = Some("Adaptation".into());
    file.service[0].method[0].output_type = Some(".mmsfit.v1.PlanResponse".into());
    file.package = Some("mmsfit".into());
    file.source_code_info = None;
    let found = lint(&[&file]).0.join("\n");
    for rule in [
        "FIELD_LOWER_SNAKE_CASE",
        "MESSAGE_PASCAL_CASE",
        "ENUM_ZERO_VALUE_SUFFIX",
        "ENUM_VALUE_PREFIX",
        "SERVICE_SUFFIX",
        "RPC_RESPONSE_STANDARD_NAME",
        "RPC_REQUEST_RESPONSE_UNIQUE",
        "PACKAGE_DIRECTORY_MATCH",
        "PACKAGE_VERSION_SUFFIX",
        "COMMENT_FIELD",
        "COMMENT_ENUM_VALUE",
        "COMMENT_RPC",
    ] {
        assert!(found.contains(rule), "{rule} is not in:\n{found}");
    }
}
