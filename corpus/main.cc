// cowvet-corpus: lists, shows, builds and checks the images of the corpus.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/program_options.hpp>
#include <iostream>
#include <set>

#include "checker/report/verdict.h"
#include "corpus/compare_findings.h"
#include "corpus/examine.h"
#include "corpus/library.h"
#include "corpus/output_files.h"
#include "corpus/show.h"

namespace {

namespace po = boost::program_options;
using namespace cowvet::corpus;

struct Request {
  std::string command;
  std::vector<std::string> names;
  std::string recipes = COWVET_RECIPES;
  std::string output;
  std::string rule;
  std::string kind;
  bool all = false;
  bool tsv = false;
  bool help = false;
};

constexpr std::string_view kUsage =
    "Usage: cowvet-corpus list [--tsv] [--rule RULE] [--kind KIND]\n"
    "       cowvet-corpus show NAME...\n"
    "       cowvet-corpus check (NAME... | --all)\n"
    "       cowvet-corpus build (NAME... | --all) -o DIRECTORY\n\n";

int complain(const std::string& message) {
  std::cerr << "cowvet-corpus: " << message << '\n';
  return 1;
}

bool is_wanted(const Recipe& recipe, const Request& request) {
  const bool rule = request.rule.empty() || (recipe.rule && (*recipe.rule)->id == request.rule);
  return rule && (request.kind.empty() || to_string(recipe.kind) == request.kind);
}

// The rules that must be found, with commas between; "-": none.
std::string expected_rules(const Recipe& recipe) {
  std::set<std::string_view> ids;
  for (const Expectation& expectation : recipe.expectations)
    if (expectation.required) ids.insert(expectation.rule->id);
  return ids.empty() ? "-" : fmt::format("{}", fmt::join(ids, ","));
}

int list(const std::vector<Recipe>& recipes, const Request& request) {
  for (const Recipe& recipe : recipes)
    if (!is_wanted(recipe, request))
      continue;
    else if (request.tsv)
      fmt::print("{}\t{}\t{}\t{}\t{}\n", recipe.name, to_string(recipe.kind), recipe.expected_status,
                 expected_rules(recipe), recipe.about);
    else
      fmt::print("{:<48} {:<9} {:<28} {}\n", recipe.name, to_string(recipe.kind),
                 recipe.rule ? (*recipe.rule)->id : "-", recipe.about);
  return 0;
}

int show(const Recipe& recipe) {
  const auto built = build(recipe);
  if (!built) return complain(built.error().text());
  fmt::print("{}\n{}", recipe.text, describe_layout(*built));
  return 0;
}

// What cowvet finds, and what of it is not as the recipe says.
int check(const Recipe& recipe) {
  const auto built = build(recipe);
  if (!built) return complain(built.error().text());
  const cowvet::Report report = examine(recipe, *built);
  const int status = cowvet::exit_status_of(report, {});
  std::string problems = compare_findings(recipe, *built, report);
  if (status != recipe.expected_status)
    problems += fmt::format("status {} instead of {}\n", status, recipe.expected_status);
  fmt::print("{:<9} {}\n{}", problems.empty() ? "as said" : "DIFFERENT", recipe.name, problems);
  for (const cowvet::Finding& finding : report.findings) fmt::print("    {}\n", describe(finding));
  return problems.empty() ? 0 : 2;
}

int write(const Recipe& recipe, const std::string& directory) {
  const auto built = build(recipe);
  if (!built) return complain(built.error().text());
  const auto written = write_files(recipe, *built, directory);
  if (!written) return complain(written.error());
  for (const auto& path : *written) fmt::print("{}\n", path.string());
  return 0;
}

// Runs `action` over the named recipes; GROUP/ names all of a group, --all every one.
template <typename Action>
int for_each_named(const std::vector<Recipe>& recipes, const Request& request, Action action) {
  std::vector<std::string> names = request.names;
  if (request.all) names = {""};
  int status = 0;
  for (const std::string& name : names) {
    bool any = false;
    for (const Recipe& recipe : recipes) {
      const bool named =
          recipe.name == name || ((name.empty() || name.ends_with('/')) && recipe.name.starts_with(name));
      if (named) status = std::max(status, action(recipe));
      any = any || named;
    }
    if (!any) status = complain("there is no recipe " + name);
  }
  return status;
}

int run(const Request& request) {
  const auto recipes = load_recipes(request.recipes);
  if (!recipes) return complain(recipes.error().text());
  if (request.command == "list") return list(*recipes, request);
  if (!request.all && request.names.empty()) return complain("name a recipe");
  if (request.command == "show") return for_each_named(*recipes, request, show);
  if (request.command == "check") return for_each_named(*recipes, request, check);
  if (request.command != "build") return complain("commands are list, show, check and build");
  if (request.output.empty()) return complain("build needs -o DIRECTORY");
  return for_each_named(*recipes, request,
                        [&request](const Recipe& recipe) { return write(recipe, request.output); });
}

}  // namespace

int main(int argc, char** argv) {
  Request request;
  po::options_description options("Options");
  options.add_options()("help,h", po::bool_switch(&request.help), "show this text")(
      "recipes", po::value(&request.recipes), "folder of the recipes")(
      "output,o", po::value(&request.output), "folder to build in")("all", po::bool_switch(&request.all),
                                                                    "all recipes")(
      "tsv", po::bool_switch(&request.tsv),
      "name, kind, status, expected rules and sentence, with tabs between")(
      "rule", po::value(&request.rule), "list only recipes about this rule")(
      "kind", po::value(&request.kind), "list only sound, near-miss or damaged ones");
  po::options_description all;
  all.add(options).add_options()("command", po::value(&request.command))("names", po::value(&request.names));
  po::positional_options_description positional;
  positional.add("command", 1).add("names", -1);
  try {
    po::variables_map variables;
    po::store(po::command_line_parser(argc, argv).options(all).positional(positional).run(), variables);
    po::notify(variables);
  } catch (const po::error& error) {
    return complain(error.what());
  }
  if (request.help || request.command.empty()) {
    std::cout << kUsage << options;
    return request.help ? 0 : 1;
  }
  return run(request);
}
