#include "tests/repair/repair_modes.h"

#include <fmt/format.h>

#include <algorithm>

namespace cowvet {
namespace {

struct Outcomes {
  RuleId rule;
  std::vector<std::string> outcomes;
};

const std::vector<Outcomes>& all_outcomes() {
  static const std::vector<Outcomes> all{
      {rule("data-file/offset-mismatch"), {"guest-offset", "move-data", "zero"}},
      {rule("data-file/raw-unmapped"), {"clear-raw", "trust-raw", "trust-metadata"}},
      {rule("data-file/raw-zero-differs"), {"clear-raw", "trust-raw", "trust-metadata"}},
      {rule("data-file/raw-with-backing"), {"clear-raw", "drop-backing"}},
      {rule("ext/backing-format-missing"), {"raw"}},
      {rule("ext/backing-format-nul"), {"cut", "drop"}},
      {rule("ext/data-file-name-empty"), {"drop"}},
      {rule("ext/data-file-name-nul"), {"cut", "drop"}},
      {rule("ext/data-file-name-unexpected"), {"drop-name", "set-bit"}},
      {rule("ext/duplicate"), {"first", "last"}},
      {rule("ext/luks-unexpected"), {"drop", "set-method"}},
      {rule("header/magic"), {"rebuild"}},
      {rule("data-file/zero-offset"), {"map"}},
      {rule("overlap/metadata"), {"drop"}},
      {rule("header/backing-name-empty"), {"restore", "drop-backing"}},
      {rule("header/backing-name-outside"), {"restore", "drop-backing"}},
      {rule("header/backing-name-overlap"), {"restore", "drop-backing"}},
      {rule("header/backing-name-too-long"), {"restore", "drop-backing"}},
      {rule("header/size-beyond-l1"), {"grow", "shrink"}},
      {rule("l2/subcluster-conflict"), {"data", "zero"}},
      {rule("refcount/orphan-mapping"), {"relink", "free"}},
  };
  return all;
}

constexpr std::string_view kWrongFormat = "Image is not in qcow2 format";
constexpr std::string_view kWhyWrongFormat =
    "the default is the last of two formats, which QEMU takes: the backing file is not of that one";
constexpr std::string_view kNoKey = "encrypt.key-secret";
constexpr std::string_view kWhyNoKey = "no password opens the LUKS headers of the corpus";

constexpr QemuRefusal kRefusals[] = {
    {"ext/duplicate-other", kWrongFormat, kWhyWrongFormat},
    {"stories/20-two-backing-formats", kWrongFormat, kWhyWrongFormat},
    {"header/lost-with-keys", kNoKey, kWhyNoKey},
    {"l2/overlaps-luks-header", kNoKey, kWhyNoKey},
    {"stories/06-luks-without-key", kNoKey, kWhyNoKey},
    {"stories/17-data-on-luks-header", kNoKey, kWhyNoKey},
    {"overlap/luks-header-on-l1-table", kNoKey, kWhyNoKey},
    {"ext/luks-unexpected-method-0", kNoKey, kWhyNoKey},  // once the method is set
    {"ext/luks-unexpected-method-1", kNoKey, kWhyNoKey},
};

struct Reason {
  std::string_view recipe;  // with a hyphen at the end: all whose names begin so
  std::string_view mode;    // empty: all
  std::string_view why;
};
constexpr Reason kUnfit[] = {
    {"ext/duplicate-bitmaps", "ext/duplicate=last", "the last of the two bitmap directories is none"},
};

constexpr std::string_view kWhichWindow =
    "the lost table or clusters may belong to any window that is empty: they are kept until the user says "
    "otherwise";
constexpr std::string_view kPunched = "whether the guest had given the clusters up is for the user to say";
constexpr std::string_view kKeys = "without the LUKS header that is there an encrypted disk would be lost";
constexpr std::string_view kNoHeader = "whether it is the image that it was taken for, only the user knows";
constexpr std::string_view kBackingFormat = "only the user knows the format of the backing file";
constexpr Reason kChosen[] = {
    {"ext/backing-format-missing-empty", "", kBackingFormat},
    {"ext/backing-format-missing-extension", "", kBackingFormat},
    {"ext/duplicate-bitmaps", "", "what the other of two bitmap directories names is given up for good"},
    {"ext/luks-unexpected-method-0", "", kKeys},
    {"ext/luks-unexpected-method-1", "", kKeys},
    {"header/backing-name-overlap-hides-bitmap", "",
     "there is no name; the guest sees nothing of a backing file, and the user says so"},
    {"header/backing-name-too-long-unused", "",
     "the name is lost; the guest sees nothing of the file, and the user says so"},
    {"data-file/offset-swapped", "", "whose data lies at either place only the user knows"},
    {"data-file/first-cluster-lost", "", "legal, and without the raw bit nobody knows what was meant"},
    {"header/backing-name-too-long-1024", "",
     "no shorter name is in the image: the guest loses what it reads"},
    {"header/lost-", "", kNoHeader},
    {"stories/first-cluster-overwritten", "", kNoHeader},
    {"header/size-beyond-l1-enormous", "", "no L1 table maps so much: only a smaller disk does"},
    {"refcount/lost-l1-entry-beside-a-snapshot", "", kWhichWindow},
    {"refcount/orphaned-l2-table", "", kWhichWindow},
    {"refcount/punched-l2-table", "", kPunched},
    {"refcount/punched-begin-of-l2-table", "", kPunched},
    {"refcount/punched-end-of-extended-l2-table", "", kPunched},
    {"refcount/wiped-l2-table", "", kWhichWindow},
    {"refcount/wiped-l2-table-and-l1-entry", "", kWhichWindow},
    {"refcount/wiped-l2-table-beside-a-snapshot", "", kWhichWindow},
    {"snapshot/l1-outside-wraps", "",
     "what only the dropped snapshot mapped is kept until the user says otherwise"},
    {"overlap/two-bitmap-tables", "",
     "one table is lost, and either bitmap may be the one that it belongs to"},
    {"stories/03-two-l1-entries", "", kWhichWindow},
    {"stories/04-l1-entry-zeroed", "", kWhichWindow},
    {"stories/l1-entry-zeroed-with-a-wiped-refcount-block", "", kWhichWindow},
    {"stories/l1-entry-zeroed-without-refcount-block", "", kWhichWindow},
    {"stories/l1-entry-zeroed-without-refcount-table", "", kWhichWindow},
    {"stories/l2-table-punched", "", kWhichWindow},
};

template <std::size_t N>
std::string_view find_reason(const Reason (&reasons)[N], const corpus::Recipe& recipe,
                             std::string_view mode) {
  const auto found = std::ranges::find_if(reasons, [&](const Reason& reason) {
    const bool is_named =
        reason.recipe.ends_with('-') ? recipe.name.starts_with(reason.recipe) : reason.recipe == recipe.name;
    return is_named && (reason.mode.empty() || reason.mode == mode);
  });
  return found == std::end(reasons) ? std::string_view() : found->why;
}

}  // namespace

std::vector<RepairMode> repair_modes_of(const corpus::Recipe& recipe) {
  const bool deep = recipe.check_deep;
  PlanOptions all{.allow_metadata = true, .allow_lossy = true, .deep = deep};
  std::vector<RepairMode> modes{
      {.name = "safe", .options = {.deep = deep}, .gives_nothing = true},
      {.name = "leaks only", .options = {.leaks_only = true, .deep = deep}, .gives_nothing = true},
      {.name = "all consents", .options = all}};
  // A notice is changed only where its rule is named.
  if ((*recipe.rule)->severity == Severity::notice) {
    all.only = {std::string((*recipe.rule)->id), "refcount/leak"};
    modes.push_back({.name = "only its rule", .options = all});
  }
  for (const auto& [rule_id, outcomes] : all_outcomes()) {
    const bool is_expected = std::ranges::any_of(
        recipe.expectations, [&](const auto& expected) { return expected.rule == rule_id; });
    if (!is_expected) continue;
    for (const std::string& outcome : outcomes) {
      PlanOptions options = all;
      options.choices[std::string(rule_id->id)] = outcome;
      // That there is a data file, a header that is lost cannot say.
      if (rule_id == rule("header/magic") && recipe.data_file)
        options.data_file_name = recipe.data_file_name();
      modes.push_back(
          {.name = fmt::format("{}={}", rule_id->id, outcome), .options = options, .is_choice = true});
    }
  }
  return modes;
}

const QemuRefusal* qemu_refusal(const corpus::Recipe& recipe) {
  const auto found = std::ranges::find(kRefusals, recipe.name, &QemuRefusal::recipe);
  return found == std::end(kRefusals) ? nullptr : &*found;
}

std::string_view why_unfit(const corpus::Recipe& recipe, const RepairMode& mode) {
  return find_reason(kUnfit, recipe, mode.name);
}

std::string_view why_chosen(const corpus::Recipe& recipe) {
  return find_reason(kChosen, recipe, "");
}

}  // namespace cowvet
