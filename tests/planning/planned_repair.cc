#include "tests/planning/planned_repair.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "checker/analysis/passes.h"
#include "checker/device/memory_device.h"
#include "checker/format/refcount_block.h"
#include "corpus/parse_recipe.h"
#include "tests/support/carry_out.h"
#include "tests/support/fault_device.h"

namespace cowvet {
namespace {

corpus::BuiltImage build(const std::string& body) {
  const std::string text = fmt::format(
      "recipe test/disk\n  about A test\n  kind sound\n{}  expect none\n  expect-status 0\n", body);
  const auto recipes = corpus::parse_recipes(text, "test");
  if (!recipes) throw std::runtime_error(recipes.error().text());
  auto built = corpus::build(recipes->front());
  if (!built) throw std::runtime_error(built.error().text());
  return *std::move(built);
}

class TestDevice final : public WrappingDevice {
 public:
  TestDevice(const Device& below, Medium medium) : WrappingDevice(below), medium_(medium) {}
  bool is_block_device() const override { return medium_ == Medium::block_device; }

 private:
  Medium medium_;
};

void write_file(const std::string& path, const std::vector<std::byte>& bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace

template <typename Use>
auto PlannedRepair::with_inputs(Use use) const {
  const MemoryDevice memory(image);
  FaultDevice faulty(memory);
  for (const corpus::UnreadableRange& range : built.unreadable)
    faulty.fail_range(range.offset, range.offset + range.length);
  const TestDevice device(faulty, medium_);
  const OpenCompanion open = [this](const std::string& name) {
    Companion companion{.state = Companion::State::missing, .path = name, .why = "not there"};
    if (!data_file) return companion;
    companion.state = Companion::State::open;
    companion.device = std::make_unique<MemoryDevice>(*data_file, name);
    return companion;
  };
  return use(Inputs{device, open, {}});
}

PlannedRepair::PlannedRepair(const std::string& body, PlanOptions options, Medium medium)
    : built(build(body)), image(built.image), data_file(built.data_file), medium_(medium) {
  options.threads = 1;
  plan = with_inputs([&](const Inputs& inputs) {
    auto made = make_plan(inputs, options);
    EXPECT_TRUE(made) << (made ? "" : made.error());
    return made.value_or(Plan{});
  });
  EXPECT_EQ(plan.unfit, "");
  EXPECT_TRUE(carry_out(plan, image, data_file));
}

std::vector<Snapshot> PlannedRepair::snapshots() const {
  Examination examination(image);
  run_passes(examination.context);
  std::vector<Snapshot> all;
  for (const SnapshotRecord& record : examination.context.snapshots) all.push_back(record.snapshot);
  return all;
}

std::vector<std::string> PlannedRepair::snapshot_ids() const {
  std::vector<std::string> ids;
  for (const Snapshot& snapshot : snapshots()) ids.push_back(snapshot.id);
  return ids;
}

std::vector<Bitmap> PlannedRepair::bitmaps() const {
  Examination examination(image);
  run_passes(examination.context);
  std::vector<Bitmap> all;
  for (const BitmapRecord& record : examination.context.bitmaps) all.push_back(record.bitmap);
  return all;
}

Header PlannedRepair::header() const {
  return decode_header(image).value();
}

std::string PlannedRepair::fired(Options options) const {
  options.threads = 1;
  const Report report = with_inputs([&](const Inputs& inputs) { return analyze(inputs, options); });
  std::vector<std::string_view> ids;
  for (const RuleTotal& total : report.totals)
    if (total.rule != rule("data-file/name-relative") && total.rule != rule("file/trailing"))
      ids.push_back(total.rule->id);
  return fmt::format("{}", fmt::join(ids, " "));
}

std::string PlannedRepair::consent_needed() const {
  std::string text;
  for (const std::string& line : plan.consent_needed) text += line + '\n';
  return text;
}

bool PlannedRepair::has_step(Remedy remedy) const {
  return std::ranges::any_of(plan.steps, [&](const Step& step) { return step.remedy == remedy; });
}

CommandResult PlannedRepair::run(const std::string& script) const {
  write_file(directory_.file("disk.qcow2"), image);
  if (data_file) write_file(directory_.file("disk.raw"), *data_file);
  if (built.backing_file) write_file(directory_.file("base.raw"), *built.backing_file);
  return run_script(script, directory_.path());
}

void PlannedRepair::expect_qemu_finds_no_errors() const {
  const CommandResult result = run("qemu-img check -f qcow2 disk.qcow2");
  EXPECT_EQ(result.status, 0) << result.out << result.err.substr(0, 500);
}

std::string PlannedRepair::convert(const std::string& id) const {
  const std::string from = id.empty() ? "" : "-l snapshot.id=" + id;
  const CommandResult result = run("qemu-img convert -f qcow2 -O raw " + from + " disk.qcow2 out.raw");
  EXPECT_EQ(result.status, 0) << result.err;
  std::ifstream file(directory_.file("out.raw"), std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

void PlannedRepair::expect_content(const std::string& id) const {
  expect_content(id, id.empty() ? built.disk : built.snapshot_disks.at(id));
}

void PlannedRepair::expect_content(const std::string& id, const corpus::GuestDisk& disk) const {
  const std::string bytes = convert(id);
  std::vector<std::byte> expected(bytes.size());
  disk.read(0, expected);
  EXPECT_TRUE(std::ranges::equal(std::as_bytes(std::span(bytes)), expected)) << "snapshot " << id;
}

std::vector<std::uint64_t> stored_refcounts(const std::vector<std::byte>& image) {
  const Header header = decode_header(image).value();
  const std::uint64_t cluster_bytes = std::uint64_t{1} << header.cluster_bits;
  const std::uint64_t per_block = refcounts_per_block(header.cluster_bits, header.refcount_order);
  std::vector<std::uint64_t> counts;
  for (std::uint64_t cluster = 0; cluster < divide_up(image.size(), cluster_bytes); ++cluster) {
    const std::uint64_t entry = header.refcount_table_offset + cluster / per_block * 8;
    const auto block = load_big_endian<std::uint64_t>(image.data() + entry);
    counts.push_back(block == 0 ? 0
                                : get_refcount(std::span(image).subspan(block, cluster_bytes),
                                               header.refcount_order, cluster % per_block));
  }
  return counts;
}

std::byte PlannedRepair::byte_at(std::uint64_t offset) const {
  return static_cast<std::byte>(convert("").at(offset));
}

}  // namespace cowvet
