#include "corpus/write_recipe.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "checker/report/verdict.h"
#include "corpus/examine.h"
#include "corpus/parse_recipe.h"

namespace cowvet::corpus {
namespace {

constexpr std::size_t kMostBytesOfLine = 32;
constexpr std::size_t kMostEqualBytes = 4;  // between two differences that one statement patches

bool describes_image(std::string_view line) {
  const std::size_t begin = line.find_first_not_of(" \t");
  if (begin == line.npos) return false;
  const std::string_view verb = line.substr(begin, line.find_first_of(" \t", begin) - begin);
  const auto is_it = [verb](const Verb& known) { return known.name == verb; };
  return std::ranges::any_of(image_verbs(), is_it) || std::ranges::any_of(step_verbs(), is_it);
}

// The lines of a recipe that say what the image is like and what was written to it.
std::string image_lines(const Recipe& recipe) {
  std::istringstream in(recipe.text);
  std::string lines;
  for (std::string line; std::getline(in, line);)
    if (describes_image(line)) lines += "  " + line.substr(line.find_first_not_of(" \t")) + '\n';
  return lines;
}

// The end of the run of differences that begins at `at`.
std::size_t end_of_run(std::span<const std::byte> before, std::span<const std::byte> after, std::size_t at) {
  std::size_t end = at + 1;
  for (std::size_t i = end; i < after.size() && i < at + kMostBytesOfLine && i < end + kMostEqualBytes; ++i)
    if (before[i] != after[i]) end = i + 1;
  return end;
}

std::string patches(std::vector<std::byte> before, std::span<const std::byte> after, std::string_view file) {
  std::string lines;
  if (after.size() < before.size()) lines += fmt::format("  truncate{} at={}\n", file, after.size());
  if (after.size() > before.size())
    lines += fmt::format("  append{} length={} with=zeros\n", file, after.size() - before.size());
  before.resize(after.size());
  for (std::size_t at = 0; at < after.size(); ++at) {
    if (before[at] == after[at]) continue;
    const std::size_t end = end_of_run(before, after, at);
    lines += fmt::format("  patch{} at={:#x} hex=", file, at);
    for (; at < end; ++at) lines += fmt::format("{:02x}", static_cast<unsigned>(after[at]));
    lines += '\n';
    --at;
  }
  return lines;
}

// Kind and rule of a recipe that expects what `report` says.
std::string heading(const Report& report) {
  if (report.totals.empty()) return "  kind sound\n";
  const auto& worst = *std::ranges::max_element(report.totals, {}, &RuleTotal::worst);
  return fmt::format("  kind damaged\n  rule {}\n", worst.rule->id);
}

std::string expectations(const Report& report) {
  std::string lines = report.totals.empty() ? "  expect none\n" : "";
  for (const RuleTotal& total : report.totals)
    lines += fmt::format("  expect {} severity={} count={}\n", total.rule->id, to_string(total.worst),
                         total.total);
  return lines + fmt::format("  expect-status {}\n", exit_status_of(report, {}));
}

std::string damage_lines(const BuiltImage& sound, const BuiltImage& damaged) {
  std::string lines = patches(sound.image, damaged.image, "");
  if (sound.data_file && damaged.data_file)
    lines += patches(*sound.data_file, *damaged.data_file, " file=data");
  return lines;
}

std::string name_of(const std::string& lines) {
  return fmt::format("found/{:016x}", std::hash<std::string>()(lines));
}

}  // namespace

std::string recipe_of_damage(const Recipe& base, const BuiltImage& sound, const BuiltImage& damaged) {
  const Report report = examine(base, damaged, 1);
  const std::string lines = image_lines(base) + damage_lines(sound, damaged);
  return fmt::format("recipe {}\n  about Found at random\n{}{}{}{}", name_of(lines), heading(report), lines,
                     base.check_deep ? "  check deep\n" : "", expectations(report));
}

std::string save_recipe(const std::string& text) {
  const std::string name = text.substr(7, text.find('\n') - 7);  // behind "recipe "
  const char* wanted = std::getenv("COWVET_SAVE_RECIPES");
  const std::filesystem::path folder = std::filesystem::absolute(wanted == nullptr ? "." : wanted);
  const std::filesystem::path path = folder / (name + ".recipe");
  std::error_code problem;  // shows when the file cannot be written
  std::filesystem::create_directories(path.parent_path(), problem);
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  if (!(out << text).flush()) return path.string() + ": cannot be written\n" + text;
  return fmt::format("saved as {}; cowvet-corpus build --recipes {} {} -o DIRECTORY makes the image\n{}",
                     path.string(), folder.string(), name, text);
}

}  // namespace cowvet::corpus
