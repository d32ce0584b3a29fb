// Writes the seeds of all fuzz targets, made of the corpus: cowvet-fuzz-seeds DIRECTORY
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "checker/device/memory_device.h"
#include "checker/format/endian.h"
#include "checker/planning/plan_file.h"
#include "checker/planning/planner.h"
#include "corpus/examine.h"
#include "corpus/library.h"
#include "fuzz/mutation.h"
#include "repair/journal.h"

namespace cowvet::fuzz {
namespace {

constexpr std::uint64_t kMostImageBytes = 512 << 10;

class Seeds {
 public:
  explicit Seeds(std::filesystem::path directory) : directory_(std::move(directory)) {}

  void put(const std::string& target, const std::string& name, std::span<const std::byte> bytes) {
    std::string file = name;
    std::ranges::replace(file, '/', '.');
    std::filesystem::create_directories(directory_ / target);
    std::ofstream(directory_ / target / file, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    ++count_;
  }
  void put(const std::string& target, const std::string& name, const std::string& text) {
    put(target, name, std::as_bytes(std::span(text)));
  }
  int count() const { return count_; }

 private:
  std::filesystem::path directory_;
  int count_ = 0;
};

class BytesOfImage final : public ChangeBytes {
 public:
  BytesOfImage(std::vector<std::byte> before, std::vector<std::byte> after)
      : before_(std::move(before)), after_(std::move(after)) {}

  std::expected<void, std::string> read(const Change& change, Side side,
                                        std::span<std::byte> out) const override {
    const auto& file = side == Side::old_bytes ? before_ : after_;
    std::ranges::copy(std::span(file).subspan(change.offset, change.length), out.begin());
    return {};
  }

 private:
  std::vector<std::byte> before_, after_;
};

// The whole blocks that a plan changes.
Changes changes_of(const Plan& plan, const std::vector<std::byte>& image) {
  std::vector<std::byte> before = image;
  before.resize(std::max<std::size_t>(before.size(), plan.image_bytes_after));
  std::vector<std::byte> after = before;
  const MemoryDevice original(image);
  std::vector<std::byte> bytes;
  for (const Step& step : plan.steps)
    for (const Write& write : step.writes) {
      if (write.target != File::image) continue;
      bytes.resize(write.new_bytes.size());
      if (write.new_bytes.read(0, bytes, original))
        std::ranges::copy(bytes, after.begin() + static_cast<std::ptrdiff_t>(write.offset));
    }
  Changes changes{
      .image = {.path = "/image", .old_size_bytes = image.size(), .new_size_bytes = after.size()}};
  for (std::size_t at = 0; at < after.size(); at += kBlockBytes) {
    const std::size_t length = std::min<std::size_t>(kBlockBytes, after.size() - at);
    const auto old_bytes = std::span(before).subspan(at, length),
               new_bytes = std::span(after).subspan(at, length);
    if (!std::ranges::equal(old_bytes, new_bytes))
      changes.changes.push_back({.offset = at, .length = length});
  }
  changes.bytes = std::make_shared<BytesOfImage>(std::move(before), std::move(after));
  return changes;
}

std::vector<std::byte> journal_of(const Plan& plan, const std::vector<std::byte>& image) {
  const Journal journal{.id = 1, .changes = changes_of(plan, image)};
  std::vector<std::byte> bytes;
  const auto sink = [&bytes](std::span<const std::byte> piece) {
    bytes.insert(bytes.end(), piece.begin(), piece.end());
    return std::expected<void, std::string>{};
  };
  const auto seal = encode_journal(journal, sink);
  for (const JournalStage stage : {JournalStage::sealed, JournalStage::committed}) {
    const auto mark = encode_mark(seal.value(), stage);
    bytes.insert(bytes.end(), mark.begin(), mark.end());
  }
  return bytes;
}

void add_recipe(Seeds& seeds, const corpus::Recipe& recipe) {
  seeds.put("parse_recipe", recipe.name, recipe.text);
  if (recipe.image.size_bytes > 16 << 20) return;
  const auto built = corpus::build(recipe);
  if (!built || built->image.size() > kMostImageBytes) return;
  seeds.put("check_bytes", recipe.name, built->image);
  if (recipe.kind != corpus::Kind::damaged) return;
  corpus::with_inputs(recipe, *built, [&](const Inputs& inputs) {
    const auto plan = make_plan(inputs, {.allow_metadata = true, .allow_lossy = true, .threads = 1});
    if (!plan || plan->empty() || plan->image_bytes_after > kMostImageBytes) return;
    std::ostringstream text;
    write_plan(*plan, text);
    seeds.put("read_plan", recipe.name, text.str());
    seeds.put("read_journal", recipe.name, journal_of(*plan, built->image));
  });
}

// Each base untouched, and with one field changed.
void add_mutations(Seeds& seeds) {
  for (std::size_t base = 0; base < bases().size() && base < 256; ++base) {
    std::string script(1, static_cast<char>(base));
    seeds.put("repair_image", std::to_string(base), script);
    for (const char* change :
         {"\x01\x00\x05\x01", "\x02\x00\x10\x00\x03", "\x03\x00\x20\x00\x04", "\x06\x00\x03\x00\x05"})
      seeds.put("repair_image", std::to_string(base) + "." + std::to_string(seeds.count()),
                script + std::string(change, 5));
  }
}

// A disk so large that its L1 table, which a plan makes anew, takes almost 32 MiB: the most that a repair of
// a small image may cost.
void add_largest_disk(Seeds& seeds) {
  const Base& base = bases().front();
  const auto size = std::ranges::find_if(
      base.fields, [](const auto& listed) { return listed.kind == "header" && listed.field.name == "size"; });
  const auto index = static_cast<std::size_t>(size - base.fields.begin());
  const std::uint64_t cluster = base.built.layout.shape.cluster_bytes;
  std::string script{'\0', '\5', static_cast<char>(index >> 8), static_cast<char>(index)};
  script.resize(script.size() + 8);
  store_big_endian(reinterpret_cast<std::byte*>(script.data() + 4),
                   ((4 << 20) - 1) * (cluster * cluster / 8));
  seeds.put("repair_image", "largest-disk", script);
}

}  // namespace
}  // namespace cowvet::fuzz

int main(int argc, char** argv) {
  using namespace cowvet;
  if (argc != 2) {
    std::fprintf(stderr, "Usage: cowvet-fuzz-seeds DIRECTORY\n");
    return 1;
  }
  const auto recipes = corpus::load_recipes(COWVET_RECIPES);
  if (!recipes) {
    std::fprintf(stderr, "%s\n", recipes.error().text().c_str());
    return 1;
  }
  fuzz::Seeds seeds(argv[1]);
  for (const corpus::Recipe& recipe : *recipes) fuzz::add_recipe(seeds, recipe);
  fuzz::add_mutations(seeds);
  fuzz::add_largest_disk(seeds);
  std::printf("%d seeds\n", seeds.count());
  return 0;
}
