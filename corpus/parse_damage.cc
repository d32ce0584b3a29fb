// The statements that break the image when all is laid out.
#include "corpus/fields.h"
#include "corpus/parse_recipe.h"

namespace cowvet::corpus {
namespace {

void add_damage(Recipe& recipe, const Arguments& words, DamageAction action) {
  recipe.damage.push_back({words.where(), words.verb(), std::move(action)});
}

bool in_data_file(Arguments& words) {
  return words.one_of<bool>("file", {{"image", false}, {"data", true}}).value_or(false);
}

Expression needed(Arguments& words, std::string_view key) {
  if (auto value = words.expression(key)) return *std::move(value);
  words.fail(words.verb(), std::string(key) + "= is missing");
  return {};
}

struct TargetRow {
  std::string_view name;
  Target target;
  std::string_view needs_name;  // what the word behind the target names; empty: nothing stands there
};

constexpr TargetRow kTargets[] = {
    {"header", Target::header, ""},
    {"extension", Target::extension, "the extension's name or number"},
    {"feature-name", Target::feature_name, "the index of the feature name"},
    {"l1", Target::l1, ""},
    {"l2", Target::l2, ""},
    {"refcount", Target::refcount, ""},
    {"refcount-table", Target::refcount_table, ""},
    {"snapshot", Target::snapshot, "the ID of the snapshot"},
    {"bitmap", Target::bitmap, "the name of the bitmap"},
    {"bitmap-table", Target::bitmap_table, "the name of the bitmap"},
    {"luks", Target::luks, ""},
    {"luks-slot", Target::luks_slot, "the index of the key slot"},
};

const TargetRow* parse_target(Arguments& words) {
  const std::string name = words.next("what to set");
  std::string names;
  for (const TargetRow& row : kTargets) {
    if (row.name == name) return &row;
    names += ' ' + std::string(row.name);
  }
  words.fail(name, "one of these can be set:" + names);
  return nullptr;
}

Assignment parse_assignment(const Word& word, const Field& field, Arguments& words) {
  Assignment assignment{word.key, word.op, {}, {}};
  const bool is_hex = word.value.starts_with("hex:");
  if (field.type == Field::Type::number && !is_hex) {
    assignment.value = words.to_expression(word.value);
    return assignment;
  }
  if (word.op != Operator::assign) words.fail(word.source, "only = is possible here");
  if (!is_hex) {
    assignment.text = word.value;
    return assignment;
  }
  const auto bytes = parse_hex(std::string_view(word.value).substr(4));
  if (!bytes)
    words.fail(word.source, "pairs of hexadecimal digits are expected");
  else
    assignment.text = std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  return assignment;
}

// What selects an entry of a table.
void parse_selectors(SetFields& set, Arguments& words) {
  const auto needs = [&words](bool there, const char* key) {
    if (!there) words.fail(words.verb(), std::string(key) + "= is missing");
  };
  if (set.target == Target::l1 || set.target == Target::l2) {
    set.guest = words.number("guest");
    set.snapshot = words.text("snapshot").value_or("");
  }
  if (set.target == Target::l1 || set.target == Target::refcount_table || set.target == Target::bitmap_table)
    set.index = words.number("index");
  if (set.target == Target::l1) needs(set.guest || set.index, "guest= or index");
  if (set.target == Target::l2) needs(set.guest.has_value(), "guest");
  if (set.target == Target::refcount_table || set.target == Target::bitmap_table)
    needs(set.index.has_value(), "index");
  if (set.target == Target::refcount) set.of = needed(words, "of");
}

void parse_set(Recipe& recipe, Arguments& words) {
  const TargetRow* row = parse_target(words);
  if (!row) return;
  SetFields set{.target = row->target};
  if (!row->needs_name.empty()) set.name = words.next(row->needs_name);
  if (set.target == Target::feature_name || set.target == Target::luks_slot) {
    set.index = parse_number(set.name);
    if (!set.index) words.fail(set.name, std::string(row->needs_name) + " is expected");
  }
  if (set.target == Target::extension && !parse_extension_type(set.name))
    words.fail(set.name, "a name or number of an extension type is expected");
  parse_selectors(set, words);
  for (const Word& word : words.rest_with_keys()) {
    const auto field = find_field(set.target, word.key, recipe.image.cluster_bits);
    if (field)
      set.assignments.push_back(parse_assignment(word, *field, words));
    else
      words.fail(word.source, "fields of " + std::string(row->name) + " are: " + field_names(set.target));
  }
  if (set.assignments.empty()) words.fail(words.verb(), "FIELD=VALUE is missing");
  add_damage(recipe, words, std::move(set));
}

void parse_patch(Recipe& recipe, Arguments& words) {
  const bool data_file = in_data_file(words);
  Expression at = needed(words, "at");
  add_damage(recipe, words, PatchBytes{data_file, std::move(at), words.bytes()});
}

void parse_fill(Recipe& recipe, Arguments& words) {
  const bool data_file = in_data_file(words);
  Expression at = needed(words, "at");
  auto length = words.expression("length");
  add_damage(recipe, words,
             FillBytes{data_file, std::move(at), std::move(length),
                       words.pattern("with", {Pattern::Kind::byte, 0})});
}

void parse_truncate(Recipe& recipe, Arguments& words) {
  const bool data_file = in_data_file(words);
  add_damage(recipe, words, Truncate{data_file, needed(words, "at")});
}

void parse_append(Recipe& recipe, Arguments& words) {
  const bool data_file = in_data_file(words);
  Expression length = needed(words, "length");
  add_damage(recipe, words,
             Append{data_file, std::move(length), words.pattern("with", {Pattern::Kind::byte, 0})});
}

void parse_unreadable(Recipe& recipe, Arguments& words) {
  const bool data_file = in_data_file(words);
  Expression at = needed(words, "at");
  add_damage(recipe, words, MakeUnreadable{data_file, std::move(at), words.expression("length")});
}

std::string parse_extension_name(Arguments& words) {
  const std::string name = words.next("the type of the extension");
  if (!parse_extension_type(name)) words.fail(name, "a name or number of an extension type is expected");
  return name;
}

void parse_add_extension(Recipe& recipe, Arguments& words) {
  const std::string name = parse_extension_name(words);
  add_damage(recipe, words, AddExtension{{parse_extension_type(name).value_or(0), words.bytes()}});
}

void parse_remove_extension(Recipe& recipe, Arguments& words) {
  add_damage(recipe, words, RemoveExtension{parse_extension_name(words)});
}

void parse_replace_extension(Recipe& recipe, Arguments& words) {
  std::string name = parse_extension_name(words);
  add_damage(recipe, words, SetExtensionData{std::move(name), words.bytes()});
}

constexpr Verb kVerbs[] = {
    {"set", Part::damage, parse_set},
    {"patch", Part::damage, parse_patch},
    {"fill", Part::damage, parse_fill},
    {"truncate", Part::damage, parse_truncate},
    {"append", Part::damage, parse_append},
    {"unreadable", Part::damage, parse_unreadable},
    {"add-extension", Part::damage, parse_add_extension},
    {"remove-extension", Part::damage, parse_remove_extension},
    {"replace-extension", Part::damage, parse_replace_extension},
};

}  // namespace

std::span<const Verb> damage_verbs() {
  return kVerbs;
}

}  // namespace cowvet::corpus
