#include "checker/cli/plan_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "checker/catalogue/catalogue.h"
#include "checker/catalogue/choices.h"
#include "checker/device/file_device.h"
#include "checker/device/follow.h"
#include "checker/format/header.h"

namespace cowvet {
namespace {

namespace po = boost::program_options;

bool is_rule(const std::string& id) {
  return find_rule(id) != kRuleCount;
}

std::string unknown_rule(const std::string& id) {
  return fmt::format("there is no rule '{}'; 'cowvet explain --list' shows all", id);
}

std::string no_outcome(RuleId rule, const std::string& outcome) {
  std::string text = fmt::format("'{}' is no outcome of {}", outcome, rule->id);
  const auto choices = choices_of(rule);
  if (!choices) return fmt::format("{} offers nothing to choose", rule->id);
  if (choices->outcomes.empty()) return text;
  text += "; there are";
  for (const Choice& choice : choices->outcomes) text += fmt::format(" {}", choice.name);
  return text;
}

// The first cluster of the donor, or as much of it as header and extensions can take.
std::expected<std::vector<std::byte>, std::string> read_donor(const std::string& path) {
  constexpr std::uint64_t kMostClusterBytes = 2 << 20;  // QEMU limit
  const auto donor = FileDevice::open(path);
  if (!donor) return std::unexpected(donor.error().message);
  std::vector<std::byte> bytes(std::min((*donor)->size_bytes(), kMostClusterBytes));
  if (!(*donor)->read(0, bytes)) return std::unexpected(fmt::format("{} cannot be read", path));
  const auto header = decode_header(bytes);
  if (!header) return std::unexpected(fmt::format("{} is not a qcow2 image", path));
  if (header->cluster_bits <= 21)
    bytes.resize(std::min<std::size_t>(bytes.size(), 1u << header->cluster_bits));
  return bytes;
}

}  // namespace

void add_plan_options(po::options_description& list, PlanTexts& texts) {
  list.add_options()  //
      ("allow", po::value(&texts.allow)->value_name("CLASS"),
       "also plan remedies that give something up: metadata (snapshots, bitmaps, names) or lossy (guest "
       "data)")  //
      ("choose", po::value(&texts.choose)->value_name("RULE=OUTCOME"),
       "settle a choice, such as data-file/raw-unmapped=trust-raw")  //
      ("only", po::value(&texts.only)->value_name("RULE"),
       "plan remedies for this rule alone; may be given several times")  //
      ("donor", po::value(&texts.donor)->value_name("IMAGE"),
       "take what an overwritten header said, but for its tables, from an image that was made in the same "
       "way")  //
      ("leaks-only", po::bool_switch(&texts.leaks_only), "plan nothing but freeing leaked clusters");
}

std::expected<PlanOptions, std::string> read_plan_options(const PlanTexts& texts) {
  PlanOptions options{.leaks_only = texts.leaks_only};
  for (const std::string& allowed : texts.allow) {
    if (allowed != "metadata" && allowed != "lossy")
      return std::unexpected(fmt::format("--allow takes metadata or lossy, not '{}'", allowed));
    (allowed == "metadata" ? options.allow_metadata : options.allow_lossy) = true;
  }
  for (const std::string& choice : texts.choose) {
    const std::size_t equals = choice.find('=');
    if (equals == std::string::npos)
      return std::unexpected(fmt::format("--choose takes RULE=OUTCOME, not '{}'", choice));
    const std::string id = choice.substr(0, equals);
    if (!is_rule(id)) return std::unexpected(unknown_rule(id));
    const std::string outcome = choice.substr(equals + 1);
    if (const RuleId rule(find_rule(id)); !is_outcome(rule, outcome))
      return std::unexpected(no_outcome(rule, outcome));
    options.choices[id] = outcome;
  }
  for (const std::string& id : texts.only) {
    if (!is_rule(id)) return std::unexpected(unknown_rule(id));
    options.only.insert(id);
  }
  if (!texts.donor.empty()) {
    auto donor = read_donor(texts.donor);
    if (!donor) return std::unexpected(donor.error());
    options.donor = *std::move(donor);
  }
  return options;
}

std::string name_for_header(const std::string& image, const std::string& data_file) {
  namespace fs = std::filesystem;
  if (data_file.empty()) return "";
  std::error_code ignored;
  const fs::path path = fs::absolute(data_file, ignored).lexically_normal();
  const fs::path directory = fs::absolute(image, ignored).lexically_normal().parent_path();
  const std::string name = path.filename();
  return path.parent_path() == directory && judge_name(name) == NameKind::plain ? name : path.string();
}

}  // namespace cowvet
