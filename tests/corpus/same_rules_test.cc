// Catalogue, recipes and documentation name the same rules: cowvet-rules(7), `cowvet explain --list`, and
// whatever else of the documentation names one. (Recipes and catalogue: coverage_test.cc.)
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>

#include "checker/report/rules_page.h"
#include "corpus/library.h"
#include "tests/corpus/support.h"
#include "tests/support/run_command.h"

namespace cowvet::corpus {
namespace {

namespace fs = std::filesystem;

// Sorted, so that one named twice is seen.
std::vector<std::string> catalogue() {
  std::vector<std::string> ids;
  for (const Rule& rule : kRules) ids.emplace_back(rule.id);
  std::ranges::sort(ids);
  return ids;
}

std::set<std::string> groups() {
  std::set<std::string> names;
  for (const Rule& rule : kRules) names.emplace(rule.id.substr(0, rule.id.find('/')));
  return names;
}

TEST(SameRules, are_in_the_manual_page) {
  std::vector<std::string> ids;
  const std::string page = std::regex_replace(rules_page("1"), std::regex(R"(\\-)"), "-");
  const std::regex heading(R"(\n\.B ([a-z0-9-]+/[a-z0-9-]+)\n)");
  for (std::sregex_iterator at(page.begin(), page.end(), heading), end; at != end; ++at)
    ids.push_back((*at)[1]);
  std::ranges::sort(ids);
  EXPECT_EQ(ids, catalogue());
}

TEST(SameRules, are_listed_by_explain) {
  const CommandResult listed = run_script("'" COWVET_PROGRAM "' explain --list");
  ASSERT_EQ(listed.status, 0) << listed.err;
  std::vector<std::string> ids;
  std::istringstream lines(listed.out);
  for (std::string line; std::getline(lines, line);)
    if (!line.empty()) ids.push_back(line.substr(0, line.find(' ')));
  std::ranges::sort(ids);
  EXPECT_EQ(ids, catalogue());
}

std::string content(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::vector<fs::path> documents() {
  const fs::path root = COWVET_SOURCE_DIR;
  std::vector<fs::path> paths{root / "README.md", root / "corpus/README.md"};
  for (const char* folder : {"checker/packaging/pages", "checker/share"})
    for (const auto& entry : fs::recursive_directory_iterator(root / folder))
      if (entry.is_regular_file()) paths.push_back(entry.path());
  return paths;
}

TEST(SameRules, are_all_that_other_documents_name) {
  const std::vector<std::string> ids = catalogue();
  const std::set<std::string> known_groups = groups();
  int named = 0;
  for (const fs::path& path : documents()) {
    const std::string text = std::regex_replace(content(path), std::regex(R"(\\-)"), "-");
    // In quotes, or a word of its own: paths have more parts, and are no rules.
    const std::regex word(R"([\s`'"(]([a-z0-9-]+)/([a-z][a-z0-9-]*)(?=[\s`'",;:)=]|\.\s))");
    for (std::sregex_iterator at(text.begin(), text.end(), word), end; at != end; ++at) {
      const std::string id = (*at)[1].str() + '/' + (*at)[2].str();
      if (!known_groups.contains((*at)[1]) || find_recipe(all_recipes(), id) != nullptr) continue;
      ++named;
      EXPECT_TRUE(std::ranges::binary_search(ids, id)) << path << " names the rule " << id;
    }
  }
  EXPECT_GT(named, 3);
}

}  // namespace
}  // namespace cowvet::corpus
