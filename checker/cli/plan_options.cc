#include "checker/cli/plan_options.h"

#include <fmt/format.h>

#include "checker/catalogue/catalogue.h"

namespace cowvet {
namespace {

namespace po = boost::program_options;

bool is_rule(const std::string& id) {
  return find_rule(id) != kRuleCount;
}

std::string unknown_rule(const std::string& id) {
  return fmt::format("there is no rule '{}'; 'cowvet explain --list' shows all", id);
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
    options.choices[id] = choice.substr(equals + 1);
  }
  for (const std::string& id : texts.only) {
    if (!is_rule(id)) return std::unexpected(unknown_rule(id));
    options.only.insert(id);
  }
  return options;
}

}  // namespace cowvet
