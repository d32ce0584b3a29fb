// Header extensions. Each remedy changes the list of extensions and has the area written anew; extensions
// that nobody knows are kept as they are. (What the bitmaps extension says: bitmap_remedies.cc.)
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "checker/format/header.h"
#include "checker/planning/first_cluster.h"
#include "checker/planning/table_candidates.h"

namespace cowvet {
namespace {

using Item = FirstCluster::Item;

void ask(Round& round, const Finding& finding, std::string_view why, std::string_view outcomes) {
  round.consent_needed.insert(
      fmt::format("{}: {}; needs --choose {}={}", finding.rule->id, why, finding.rule->id, outcomes));
}

// Whether the chain goes on behind `length` bytes of data, to an end marker.
bool goes_on(std::span<const std::byte> area, std::uint64_t length) {
  const std::uint64_t padded = (length + 7) / 8 * 8;
  return padded <= area.size() && walk_extensions(area, padded, area.size()).terminated;
}

// The length that the data of a broken extension must have had: the shortest behind which the chain goes on.
// Types of fixed shape have only some lengths; of others, zeros at the end are padding.
std::optional<std::uint64_t> true_length(ExtensionType type, std::span<const std::byte> area) {
  if (type == ExtensionType::bitmaps || type == ExtensionType::luks) {
    const std::uint64_t length =
        type == ExtensionType::bitmaps ? sizeof(RawBitmapsExtension) : sizeof(RawLuksPointer);
    return goes_on(area, length) ? std::optional(length) : std::nullopt;
  }
  const std::uint64_t step = type == ExtensionType::feature_names ? sizeof(RawFeatureName) : 8;
  for (std::uint64_t length = step; length <= area.size(); length += step) {
    if (!goes_on(area, length)) continue;
    if (type == ExtensionType::feature_names) return length;
    while (length != 0 && area[length - 1] == std::byte{0}) --length;
    return length;
  }
  return std::nullopt;
}

void end_overrun(Round& round, const Finding& finding) {
  auto area = FirstCluster::load(round);
  if (!area || !area->overrun()) return;
  const auto type = static_cast<ExtensionType>(area->overrun_type());
  const std::vector<std::byte> rest = area->behind_overrun();
  if (const auto length = true_length(type, rest)) {
    const auto end = rest.begin() + static_cast<std::ptrdiff_t>(*length);
    area->items.push_back({type, {rest.begin(), end}});
    const ExtensionWalk behind = walk_extensions(rest, (*length + 7) / 8 * 8, rest.size());
    for (const Extension& extension : behind.extensions)
      area->items.push_back({extension.type, {extension.data.begin(), extension.data.end()}});
    round.editor.begin(finding.rule, Remedy::safe,
                       fmt::format("give the extension of type {:#010x} the {} bytes behind which the others "
                                   "follow",
                                   area->overrun_type(), *length));
    area->write(round);
    return;
  }
  // Names of features are for people only; anything else is missed.
  const Remedy remedy = type == ExtensionType::feature_names ? Remedy::safe : Remedy::metadata;
  if (type == ExtensionType::luks || !round.may(finding, remedy)) return;
  round.editor.begin(finding.rule, remedy,
                     fmt::format("end the extensions before that of type {:#010x}, whose length is lost",
                                 area->overrun_type()));
  area->write(round);
}

bool may_repeat(ExtensionType type) {
  return type != ExtensionType::backing_format && type != ExtensionType::feature_names &&
         type != ExtensionType::bitmaps && type != ExtensionType::luks &&
         type != ExtensionType::data_file_name;
}

// Where the two differ, the default is what QEMU takes today: the last. But what one of two pointers names is
// given up for good with it: there is no default.
void drop_duplicates(Round& round, const Finding& finding) {
  auto area = FirstCluster::load(round);
  if (!area) return;
  std::vector<Item> kept;
  std::optional<std::string> outcome;
  for (const Item& item : area->items) {
    const auto same = std::ranges::find(kept, item.type, &Item::type);
    if (may_repeat(item.type) || same == kept.end()) {
      kept.push_back(item);
      continue;
    }
    if (*same == item) continue;
    const bool is_pointer = item.type == ExtensionType::bitmaps || item.type == ExtensionType::luks;
    if (!outcome || is_pointer) outcome = round.chosen(finding.rule, is_pointer ? "" : "last");
    if (outcome != "first" && outcome != "last")
      return ask(round, finding, "which of two different extensions of one type holds?", "first or =last");
    if (outcome == "last") same->data = item.data;
  }
  if (kept.size() == area->items.size()) return;
  area->items = std::move(kept);
  Step& step =
      round.editor.begin(finding.rule, outcome ? Remedy::choice : Remedy::safe,
                         !outcome             ? "drop extensions that only repeat others"
                         : outcome == "first" ? "of extensions of one type, keep the first"
                                              : "of extensions of one type, keep the last, which QEMU takes");
  step.outcome = outcome.value_or("");
  area->write(round);
}

// Applies `change` to the extensions of `type`, or removes them where it returns false.
template <typename Change>
bool change_items(Round& round, ExtensionType type, Change change) {
  auto area = FirstCluster::load(round);
  if (!area || area->overrun()) return false;
  std::erase_if(area->items, [&](Item& item) { return item.type == type && !change(item.data); });
  return area->write(round);
}

void cut_at_nul(Round& round, const Finding& finding, ExtensionType type, std::string why) {
  const std::string outcome = round.chosen(finding.rule, "cut");
  if (outcome != "cut" && outcome != "drop")
    return ask(round, finding, "the text has a NUL inside", "cut or =drop");
  round.editor.begin(finding.rule, Remedy::choice, outcome == "cut" ? std::move(why) : "drop the extension")
      .outcome = outcome;
  change_items(round, type, [&](std::vector<std::byte>& data) {
    data.erase(std::ranges::find(data, std::byte{0}), data.end());
    return outcome == "cut" && !data.empty();
  });
}

void cut_backing_format(Round& round, const Finding& finding) {
  cut_at_nul(round, finding, ExtensionType::backing_format,
             "end the backing format at its NUL, as QEMU does");
}

void cut_data_file_name(Round& round, const Finding& finding) {
  cut_at_nul(round, finding, ExtensionType::data_file_name,
             "end the data file name at its NUL, as QEMU does");
}

void drop_empty_name(Round& round, const Finding& finding) {
  const std::string outcome = round.chosen(finding.rule, "drop");
  if (outcome != "drop") return ask(round, finding, "the data file name is empty", "drop");
  round.editor
      .begin(finding.rule, Remedy::choice, "drop the empty data file name: whoever opens the image gives it")
      .outcome = outcome;
  change_items(round, ExtensionType::data_file_name, [](auto& data) { return !data.empty(); });
}

// That it is the bit that was lost is decided before anything else: header_search.cc.
void drop_unexpected_name(Round& round, const Finding& finding) {
  const std::string outcome = round.chosen(finding.rule, "drop-name");
  if (outcome == "set-bit") {
    round.consent_needed.insert(
        fmt::format("{}: the data file that is named cannot be opened, so that the bit is not set; "
                    "--data-file PATH says where it is",
                    finding.rule->id));
  } else if (outcome != "drop-name") {
    ask(round, finding, "a data file is named, but not used", "drop-name or =set-bit");
  } else {
    round.editor
        .begin(finding.rule, Remedy::choice, "drop the data file name: the image keeps its data itself")
        .outcome = outcome;
    change_items(round, ExtensionType::data_file_name, [](auto&) { return false; });
  }
}

// The keys of an encrypted disk: once they are gone, so is the disk.
bool has_luks_header(Round& round) {
  constexpr unsigned char kLuksMagic[] = {'L', 'U', 'K', 'S', 0xba, 0xbe};
  auto area = FirstCluster::load(round);
  return area && std::ranges::any_of(area->items, [&](const Item& item) {
           const auto pointer = decode_luks_pointer(item.data);
           std::byte magic[sizeof kLuksMagic];
           return item.type == ExtensionType::luks &&
                  (!pointer || (round.context.in_file(pointer->offset, sizeof magic) &&
                                round.editor.image().read(pointer->offset, magic) &&
                                std::memcmp(magic, kLuksMagic, sizeof magic) == 0));
         });
}

void settle_unexpected_luks(Round& round, const Finding& finding) {
  const std::string outcome = round.chosen(finding.rule, has_luks_header(round) ? "keep" : "drop");
  if (outcome == "drop") {
    round.editor.begin(finding.rule, Remedy::safe,
                       "drop the pointer to an encryption header: nothing is encrypted");
    change_items(round, ExtensionType::luks, [](auto&) { return false; });
  } else if (outcome == "set-method") {
    Step& step =
        round.editor.begin(finding.rule, Remedy::choice, "say that guest data is encrypted with LUKS");
    step.outcome = outcome;
    round.editor.write_number(File::image, offsetof(RawHeader, crypt_method),
                              static_cast<std::uint32_t>(CryptMethod::luks));
  } else {
    ask(round, finding, "there is a LUKS header, without which an encrypted disk is lost",
        "set-method or =drop");
  }
}

// The header of an encrypted disk is recognised by its magic number, wherever the pointer leads.
void find_luks_header(Round& round, const Finding& finding) {
  std::vector<Candidate> candidates = luks_candidates(round);
  if (const Candidate* candidate = pick_perfect(round, candidates))
    apply_candidate(round, finding, *candidate);
}

// Notices: changed only where the user asks for it.

void add_end_marker(Round& round, const Finding& finding) {
  if (!round.is_asked_for(finding)) return;
  round.editor.begin(finding.rule, Remedy::safe, "write an end marker behind the extensions");
  change_items(round, ExtensionType::end, [](auto&) { return true; });
}

void tidy_feature_names(Round& round, const Finding& finding) {
  if (!round.is_asked_for(finding)) return;
  round.editor.begin(finding.rule, Remedy::safe, "keep the feature names that name a feature");
  change_items(round, ExtensionType::feature_names, [](std::vector<std::byte>& data) {
    std::vector<FeatureName> names = decode_feature_names(data);
    std::erase_if(names, [](const FeatureName& name) { return name.type > 2 || name.bit > 63; });
    data = encode_feature_names(names);
    return !names.empty();
  });
}

void drop_orphan_format(Round& round, const Finding& finding) {
  if (!round.is_asked_for(finding)) return;
  round.editor.begin(finding.rule, Remedy::safe, "drop the backing format: there is no backing file");
  change_items(round, ExtensionType::backing_format, [](auto&) { return false; });
}

void add_backing_format(Round& round, const Finding& finding) {
  const std::string format = round.chosen(finding.rule, "");
  if (!round.is_asked_for(finding)) return;
  if (format.empty() || format.find('\0') != std::string::npos)
    return ask(round, finding, "which format does the backing file have?", "FORMAT");
  auto area = FirstCluster::load(round);
  if (!area || area->overrun()) return;
  std::erase_if(area->items, [](const Item& item) { return item.type == ExtensionType::backing_format; });
  const auto text = std::as_bytes(std::span(format));
  area->items.insert(area->items.begin(), {ExtensionType::backing_format, {text.begin(), text.end()}});
  round.editor.begin(finding.rule, Remedy::choice, "say of which format the backing file is").outcome =
      format;
  area->write(round);
}

constexpr RemedyRow kRows[] = {
    {rule("ext/overrun"), Stage::header, end_overrun},
    {rule("ext/duplicate"), Stage::header, drop_duplicates},
    {rule("ext/backing-format-nul"), Stage::header, cut_backing_format},
    {rule("ext/luks-outside"), Stage::pointers, find_luks_header},
    {rule("ext/luks-unaligned"), Stage::pointers, find_luks_header},
    {rule("ext/luks-unexpected"), Stage::header, settle_unexpected_luks},
    {rule("ext/data-file-name-unexpected"), Stage::header, drop_unexpected_name},
    {rule("ext/data-file-name-empty"), Stage::header, drop_empty_name},
    {rule("ext/data-file-name-nul"), Stage::header, cut_data_file_name},
    {rule("ext/unterminated"), Stage::header, add_end_marker},
    {rule("ext/feature-table-length"), Stage::header, tidy_feature_names},
    {rule("ext/backing-format-orphan"), Stage::header, drop_orphan_format},
    {rule("ext/backing-format-missing"), Stage::header, add_backing_format},
};

}  // namespace

std::span<const RemedyRow> extension_remedies() {
  return kRows;
}

}  // namespace cowvet
