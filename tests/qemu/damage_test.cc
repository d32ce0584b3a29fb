// Random damage to images of every kind, judged by `qemu-img check` and by cowvet. Whatever QEMU calls a
// corruption or a leak, cowvet must find too; and where QEMU finds nothing, cowvet may only name rules that
// QEMU is known not to check. What differs otherwise is listed below, with the reason.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "checker/format/bitmap.h"
#include "checker/format/refcount_block.h"
#include "tests/qemu/image_file.h"
#include "tests/qemu/sound_image.h"
#include "tests/support/run_command.h"
#include "tests/support/temporary_directory.h"

namespace cowvet {
namespace {

using Json = nlohmann::json;

// COWVET_DAMAGE_SEEDS asks for more, or as FIRST-LAST for others.
constexpr unsigned kSeedsPerImage = 40;

std::pair<unsigned, unsigned> seeds() {
  const char* asked = std::getenv("COWVET_DAMAGE_SEEDS");
  if (asked == nullptr) return {0, kSeedsPerImage};
  const std::string text = asked;
  const std::size_t dash = text.find('-');
  if (dash == std::string::npos) return {0, std::stoul(text)};
  return {std::stoul(text), std::stoul(text.substr(dash + 1)) + 1};
}

// What cowvet finds on images that `qemu-img check` calls sound, and why that is right.
struct Blindness {
  const char* rule;
  const char* why;
  bool with_consequences = false;  // what cannot be read is missed elsewhere too: other rules may follow
};

constexpr Blindness kQemuIsBlind[] = {
    {"header/padding", "the specification wants zeros; QEMU does not look"},
    {"bitmap/padding", "the specification wants zeros; QEMU does not look"},
    {"snapshot/size-beyond-l1", "QEMU notices when the snapshot is applied, and fails"},
    {"snapshot/entry-truncated", "what the file has lost QEMU reads as zeros", true},
    {"data-file/offset-mismatch", "QEMU notices when the guest reads there, and fails"},
    {"data-file/not-copied", "QEMU does not look, and takes the first cluster for one never written"},
};

// QEMU does not look at refcounts of clusters past the end of the file.
bool is_past_the_end(const Json& finding, std::uint64_t image_bytes) {
  return finding.at("rule") == "refcount/leak" && finding.at("offset") >= image_bytes;
}

// What QEMU cannot examine, but cowvet can. Text of its message, and why.
constexpr Blindness kQemuGivesUp[] = {
    {"'data-file' is required for this image", "the name is lost: the metadata can be examined all the same"},
};

// Where in an image damage is done.
struct Region {
  const char* name;
  std::uint64_t offset;
  std::uint64_t length;
};

std::vector<Region> regions_of(const ImageFile& image) {
  const Header& header = image.header();
  const std::uint64_t cluster = image.cluster_bytes();
  std::vector<Region> regions = {{"header", 0, header.header_length},
                                 {"header extensions", header.header_length, 512},
                                 {"L1 table", header.l1_table_offset, header.l1_size * std::uint64_t{8}},
                                 {"refcount table", header.refcount_table_offset, 64}};
  for (std::uint32_t i = 0; i < header.l1_size; ++i)
    if (const std::uint64_t l2 = image.l1_entry(i).l2_offset()) regions.push_back({"L2 table", l2, cluster});
  for (const std::uint64_t entry : image.table(header.refcount_table_offset, cluster / 8))
    if (entry != 0) regions.push_back({"refcount block", entry, cluster});
  if (header.nb_snapshots != 0) regions.push_back({"snapshot table", header.snapshots_offset, 128});
  for (const Snapshot& snapshot : image.snapshots()) {
    regions.push_back({"snapshot L1 table", snapshot.l1_table_offset, snapshot.l1_size * std::uint64_t{8}});
    if (const std::uint64_t l2 = L1Entry{image.read_u64(snapshot.l1_table_offset)}.l2_offset())
      regions.push_back({"snapshot L2 table", l2, cluster});
  }
  const auto first = image.first_cluster();
  for (const Extension& extension : walk_extensions(first, header.header_length, cluster).extensions) {
    if (extension.type != ExtensionType::bitmaps) continue;
    const auto bitmaps = decode_bitmaps_extension(extension.data).value();
    regions.push_back({"bitmap directory", bitmaps.directory_offset, bitmaps.directory_size});
    const auto entry = decode_bitmap(image.read(bitmaps.directory_offset, bitmaps.directory_size)).value();
    regions.push_back(
        {"bitmap table", entry.bitmap.table_offset, entry.bitmap.table_size * std::uint64_t{8}});
  }
  return regions;
}

// Changes a few bytes of one region; says what it did.
class Damage {
 public:
  explicit Damage(unsigned seed) : random_(seed) {}

  std::string apply(ImageFile& image) {
    const std::vector<Region> regions = regions_of(image);
    const Region region = regions[below(regions.size())];
    // Most entries of a table are empty: what is there is hit more often than what is not.
    std::vector<std::uint64_t> used;
    for (std::uint64_t at = region.offset; at + 8 <= region.offset + region.length; at += 8)
      if (image.read_u64(at) != 0) used.push_back(at);
    const bool in_use = !used.empty() && below(4) != 0;
    const std::uint64_t at = in_use ? used[below(used.size())] : region.offset + below(region.length / 8) * 8;
    const std::uint64_t before = image.read_u64(at);
    const std::uint64_t after = changed(image, before, used);
    image.write_u64(at, after);
    return fmt::format("{} at {:#x}: {:#018x} becomes {:#018x}", region.name, at, before, after);
  }

 private:
  std::uint64_t below(std::uint64_t limit) {
    return std::uniform_int_distribution<std::uint64_t>(0, limit - 1)(random_);
  }

  std::uint64_t changed(const ImageFile& image, std::uint64_t value, const std::vector<std::uint64_t>& used) {
    switch (below(7)) {
      case 0:
      case 1:
        return value ^ std::uint64_t{1} << below(64);
      case 2:
        return 0;
      case 3:
        return used.empty() ? random_() : image.read_u64(used[below(used.size())]);
      case 4:
        return value + image.cluster_bytes();
      case 5:
        return (value & kCopied) | ((image.size_bytes() & ~(image.cluster_bytes() - 1)) + (below(3) << 20));
      default:
        return random_();
    }
  }

  std::mt19937_64 random_;
};

// Both programs' exit statuses on one scale; `1` (could not be examined) is as bad as a corruption.
int severity(int status) {
  switch (status) {
    case 0:
      return 0;
    case 3:
      return 1;
    default:
      return 2;
  }
}

// The findings above a notice that need an explanation where QEMU has none.
std::vector<Json> unexplained(const Json& report, std::uint64_t image_bytes) {
  std::vector<Json> all;
  for (const Json& finding : report.at("findings")) {
    const std::string rule = finding.at("rule");
    const auto blindness = std::ranges::find(kQemuIsBlind, rule, &Blindness::rule);
    if (blindness != std::end(kQemuIsBlind) && blindness->with_consequences) return {};
    if (finding.at("severity") != "notice" && blindness == std::end(kQemuIsBlind) &&
        !is_past_the_end(finding, image_bytes))
      all.push_back(finding);
  }
  return all;
}

bool gives_up_alone(const CommandResult& qemu, const Json& report) {
  // A name that leads out of the image's directory, or has control characters, is not looked for.
  const bool not_followed = std::ranges::any_of(
      report.at("rules"), [](const Json& rule) { return rule.at("rule") == "data-file/not-examined"; });
  return (not_followed && qemu.err.contains("No such file or directory")) ||
         std::ranges::any_of(kQemuGivesUp,
                             [&](const Blindness& blindness) { return qemu.err.contains(blindness.rule); });
}

class QemuDamaged : public testing::TestWithParam<SoundImage> {
 protected:
  // Judges disk.qcow2 by both programs.
  void compare(const std::filesystem::path& directory) const {
    const auto qemu =
        run_script("timeout 60 qemu-img check --output=json " + GetParam().qemu_arguments, directory);
    const auto cowvet = run_script("timeout 60 " + shell_quote(COWVET_PROGRAM) +
                                       " check --limit=0 --output=json " + GetParam().cowvet_arguments,
                                   directory);
    ASSERT_LT(cowvet.status, 64) << cowvet.err;
    const Json ours = Json::parse(cowvet.out, nullptr, false);
    ASSERT_TRUE(ours.is_object()) << cowvet.out;
    if (!gives_up_alone(qemu, ours)) {
      EXPECT_GE(severity(cowvet.status), severity(qemu.status)) << qemu.out << qemu.err << cowvet.out;
    }
    if (qemu.status == 0) {
      EXPECT_THAT(unexplained(ours, file_size(directory / "disk.qcow2")), testing::IsEmpty());
    }
    if (qemu.status == 3 && cowvet.status == 3) {
      EXPECT_EQ(ours.at("leaks"), Json::parse(qemu.out).at("leaks")) << cowvet.out << qemu.out;
    }
  }
};

TEST_P(QemuDamaged, image_is_damaged_to_cowvet_where_it_is_to_qemu) {
  const TemporaryDirectory directory;
  const CommandResult made =
      run_script(with_helpers(GetParam().commands + "\nmv disk.qcow2 sound"), directory.path());
  ASSERT_EQ(made.status, 0) << made.out << made.err;
  const auto [first, end] = seeds();
  for (unsigned seed = first; seed < end; ++seed) {
    std::filesystem::copy_file(directory.path() / "sound", directory.path() / "disk.qcow2",
                               std::filesystem::copy_options::overwrite_existing);
    std::string what;
    {
      ImageFile image(directory.path() / "disk.qcow2");
      what = Damage(seed).apply(image);
    }
    SCOPED_TRACE(fmt::format("seed {}: {}\nin the image made by:\n{}", seed, what, GetParam().commands));
    compare(directory.path());
  }
}

const std::vector<SoundImage> kImages = {
    {.name = "small_clusters", .commands = R"sh(
create -o cluster_size=512 disk.qcow2 100k
io -c "write -P 1 0 20k" -c "write -P 2 64k 4k" -c "write -z 8k 4k" -c "write -P 3 40k 512")sh"},
    {.name = "version_2", .commands = R"sh(
create -o compat=0.10,cluster_size=1k disk.qcow2 200k
io -c "write -P 1 0 20k" -c "write -P 2 164k 4k")sh"},
    {.name = "compressed", .commands = R"sh(
seq 1 50000 | head -c 200000 >raw
qemu-img convert -c -f raw -O qcow2 -o cluster_size=4k raw disk.qcow2)sh"},
    {.name = "extended_l2", .commands = R"sh(
create -o extended_l2=on,cluster_size=16k disk.qcow2 1M
io -c "write -P 1 0 100k" -c "write -P 2 300k 512" -c "write -z 64k 8k")sh"},
    {.name = "snapshots", .commands = R"sh(
create -o cluster_size=1k disk.qcow2 100k
io -c "write -P 1 0 20k"
qemu-img snapshot -c one disk.qcow2
io -c "write -P 2 4k 8k"
qemu-img snapshot -c two disk.qcow2
io -c "write -P 3 8k 8k")sh"},
    {.name = "bitmaps", .commands = R"sh(
create -o cluster_size=1k disk.qcow2 8M
qemu-img bitmap --add -g 512 disk.qcow2 one
io -c "write -P 1 0 20k" -c "write -P 2 4M 8k"
qemu-img bitmap --add disk.qcow2 two)sh"},
    {.name = "narrow_refcounts", .commands = R"sh(
create -o cluster_size=512,refcount_bits=1 disk.qcow2 100k
io -c "write -P 1 0 50k")sh"},
    {.name = "wide_refcounts", .commands = R"sh(
create -o cluster_size=512,refcount_bits=64 disk.qcow2 100k
io -c "write -P 1 0 50k"
qemu-img snapshot -c one disk.qcow2)sh"},
    {.name = "preallocated", .commands = "create -o preallocation=metadata,cluster_size=4k disk.qcow2 300k"},
    {.name = "data_file", .commands = R"sh(
create -o data_file=data,cluster_size=512 disk.qcow2 100k
io -c "write -P 1 0 50k" -c "write -z 4k 8k")sh"},
};

INSTANTIATE_TEST_SUITE_P(, QemuDamaged, testing::ValuesIn(kImages), name_of);

}  // namespace
}  // namespace cowvet
