// Storage that fails: whatever cannot be read is said to be unknown, by its place; nothing is called damaged
// because of it, and nothing else is hidden by it.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "checker/analysis/analyze.h"
#include "checker/device/file_device.h"
#include "checker/device/memory_device.h"
#include "checker/format/entries.h"
#include "checker/format/extensions.h"
#include "checker/format/header.h"
#include "tests/support/fault_device.h"
#include "tests/support/qemu_samples.h"
#include "tests/support/temporary_directory.h"

namespace cowvet {
namespace {

constexpr std::uint64_t kSector = 512;

// The devices of one run, and what came of it.
struct Examined {
  Examined(const Device& image, const Device* data_file) : image_faults(image) {
    if (data_file != nullptr) data_faults = std::make_unique<FaultDevice>(*data_file);
  }

  const Report& analyze(unsigned threads = 1) {
    const OpenCompanion open = [this](const std::string& name) {
      if (!data_faults) return Companion{.state = Companion::State::missing, .path = name};
      return Companion{.state = Companion::State::open,
                       .device = std::make_unique<WrappingDevice>(static_cast<const Device&>(*data_faults)),
                       .path = name};
    };
    return report = cowvet::analyze({image_faults, open, {}},
                                    {.threads = threads, .deep = true, .findings_per_rule = 0});
  }

  FaultDevice image_faults;
  std::unique_ptr<FaultDevice> data_faults;
  Report report;
};

std::string describe(const Report& report) {
  std::string text;
  for (const Finding& finding : report.findings)
    text += std::string(finding.rule->id) + " at " + std::to_string(finding.place.offset) + " (" +
            finding.detail + ")\n";
  return text;
}

// Whether the report says that [begin, end) of a file, or a part of it, could not be read.
bool says_unreadable(const Report& report, File file, std::uint64_t begin, std::uint64_t end) {
  return std::ranges::any_of(report.findings, [&](const Finding& finding) {
    return finding.rule == rule("file/unreadable") && finding.place.file == file &&
           finding.place.offset < end && begin < finding.place.offset + finding.place.length;
  });
}

// Findings that say what is, and not what could not be examined.
std::vector<Finding> certain(const Report& report) {
  std::vector<Finding> findings = report.findings;
  std::erase_if(findings, [](const Finding& finding) { return finding.severity == Severity::unchecked; });
  return findings;
}

// What is damaged according to `report` and not according to `reference`.
std::string alarms(const Report& report, const Report& reference) {
  std::string text;
  for (const Finding& finding : certain(report)) {
    if (std::ranges::find(reference.findings, finding) == reference.findings.end())
      text += std::string(finding.rule->id) + " at " + std::to_string(finding.place.offset) + " (" +
              finding.detail + ")\n";
  }
  return text;
}

class IoErrors : public testing::TestWithParam<QemuSample> {
 protected:
  IoErrors() {
    make_qemu_sample(GetParam(), directory_.path());
    image_ = FileDevice::open(directory_.file("a.qcow2")).value();
    if (GetParam().data_file != nullptr)
      data_file_ = FileDevice::open(directory_.file(GetParam().data_file)).value();
  }

  TemporaryDirectory directory_;
  std::unique_ptr<FileDevice> image_;
  std::unique_ptr<FileDevice> data_file_;
};

TEST_P(IoErrors, sample_is_sound) {
  Examined sound(*image_, data_file_.get());
  EXPECT_EQ(sound.analyze().worst, Severity::notice) << describe(sound.report);
  EXPECT_EQ(sound.report.data_file_name.empty(), GetParam().data_file == nullptr);
}

TEST_P(IoErrors, no_failing_read_goes_unnoticed) {
  Examined sound(*image_, data_file_.get());
  sound.analyze();
  for (std::uint64_t number = 1;; ++number) {
    Examined failing(*image_, data_file_.get());
    failing.image_faults.fail_read(number);
    const Report& report = failing.analyze();
    if (failing.image_faults.failures() == 0) {
      EXPECT_EQ(number, sound.image_faults.reads() + 1);
      break;
    }
    const IoError& failure = failing.image_faults.last_failure();
    SCOPED_TRACE("read " + std::to_string(number) + " at " + std::to_string(failure.offset) + ", " +
                 std::to_string(failure.length) + " bytes");
    EXPECT_EQ(alarms(report, sound.report), "");
    EXPECT_EQ(report.worst, Severity::unchecked);
    EXPECT_TRUE(says_unreadable(report, File::image, failure.offset, failure.offset + failure.length))
        << describe(report);
  }
}

TEST_P(IoErrors, no_bad_sector_goes_unnoticed_or_looks_like_damage) {
  Examined sound(*image_, data_file_.get());
  sound.analyze();
  for (std::uint64_t at = 0; at < image_->size_bytes(); at += kSector) {
    Examined failing(*image_, data_file_.get());
    failing.image_faults.fail_range(at, at + kSector);
    const Report& report = failing.analyze();
    if (failing.image_faults.failures() == 0) continue;
    SCOPED_TRACE("sector at " + std::to_string(at));
    EXPECT_EQ(report.worst, Severity::unchecked);
    EXPECT_TRUE(says_unreadable(report, File::image, at, at + kSector)) << describe(report);
    EXPECT_EQ(alarms(report, sound.report), "");
    // Who shrinks a volume to this end must not cut anything off.
    if (report.header_usable) {
      EXPECT_GE(report.counters.image_end_offset, sound.report.counters.image_end_offset);
    }
  }
}

TEST_P(IoErrors, no_failing_read_of_the_data_file_goes_unnoticed) {
  if (!data_file_) return;
  Examined sound(*image_, data_file_.get());
  sound.analyze();
  for (std::uint64_t number = 1;; ++number) {
    Examined failing(*image_, data_file_.get());
    failing.data_faults->fail_read(number);
    const Report& report = failing.analyze();
    if (failing.data_faults->failures() == 0) {
      EXPECT_EQ(number, sound.data_faults->reads() + 1);
      break;
    }
    const IoError& failure = failing.data_faults->last_failure();
    SCOPED_TRACE("read " + std::to_string(number) + " at " + std::to_string(failure.offset));
    EXPECT_EQ(report.worst, Severity::unchecked);
    EXPECT_TRUE(says_unreadable(report, File::data_file, failure.offset, failure.offset + failure.length))
        << describe(report);
    EXPECT_EQ(alarms(report, sound.report), "");
  }
}

// A sound image that was broken in several places, each of which can be found without the others.
class DamagedImage {
 public:
  explicit DamagedImage(std::vector<std::byte> bytes) : bytes_(std::move(bytes)) {
    const Header header = decode_header(bytes_).value();
    const DataExtent head = cluster(0);
    const DataExtent l1 = {header.l1_table_offset, header.l1_table_offset + header.l1_size * 8};
    const DataExtent snapshots = cluster(header.snapshots_offset);
    const std::uint64_t snapshot_l1 = load<std::uint64_t>(header.snapshots_offset);

    bytes_[105] = std::byte{1};
    damage_.push_back({rule("header/padding"), 105, {head}});
    damage_entry(l1.begin, 0, {head, l1});
    damage_entry(l1.begin, 9, {head, l1});
    damage_entry(snapshot_l1, 0, {head, snapshots, cluster(snapshot_l1)});

    const ExtensionWalk extensions = walk_extensions(bytes_, header.header_length, 4096);
    for (const Extension& extension : extensions.extensions) {
      if (extension.type != ExtensionType::bitmaps) continue;
      const std::uint64_t directory = decode_bitmaps_extension(extension.data)->directory_offset;
      store(directory + 12, load<std::uint32_t>(directory + 12) | 1u << 7);
      damage_.push_back({rule("bitmap/flags"), directory + 12, {head, cluster(directory)}});
    }
  }

  struct Damage {
    RuleId rule;
    std::uint64_t offset = 0;
    std::vector<DataExtent> known_by;  // what must be read to find it
  };

  MemoryDevice device() const { return MemoryDevice(bytes_); }
  const std::vector<Damage>& damage() const { return damage_; }

 private:
  template <typename T>
  T load(std::uint64_t offset) const {
    return load_big_endian<T>(bytes_.data() + offset);
  }
  template <typename T>
  void store(std::uint64_t offset, T value) {
    store_big_endian(bytes_.data() + offset, value);
  }
  static DataExtent cluster(std::uint64_t offset) { return {offset, offset + 4096}; }

  // Sets a reserved bit in the first entry that is used of an L2 table.
  void damage_entry(std::uint64_t l1, std::uint64_t index, std::vector<DataExtent> known_by) {
    const std::uint64_t table = load<std::uint64_t>(l1 + index * 8) & kOffsetMask;
    std::uint64_t at = table;
    while (load<std::uint64_t>(at) == 0) at += 8;
    store(at, load<std::uint64_t>(at) | 1u << 5);
    known_by.push_back(cluster(table));
    damage_.push_back({rule("l2/reserved-bits"), at, std::move(known_by)});
  }

  std::vector<std::byte> bytes_;
  std::vector<Damage> damage_;
};

bool finds(const Report& report, const DamagedImage::Damage& damage) {
  return std::ranges::any_of(report.findings, [&](const Finding& finding) {
    return finding.rule == damage.rule && finding.place.offset <= damage.offset &&
           damage.offset < finding.place.offset + finding.place.length;
  });
}

TEST(IoErrorsInDamagedImages, hide_nothing_that_is_known_by_other_parts) {
  const TemporaryDirectory directory;
  make_qemu_sample(kQemuSamples[0], directory.path());
  const auto file = FileDevice::open(directory.file("a.qcow2")).value();
  std::vector<std::byte> bytes(file->size_bytes());
  ASSERT_TRUE(file->read(0, bytes));
  const DamagedImage image(std::move(bytes));
  const MemoryDevice device = image.device();
  ASSERT_EQ(image.damage().size(), 5u);

  for (std::uint64_t at = 0; at < device.size_bytes(); at += kSector) {
    Examined examined(device, nullptr);
    examined.image_faults.fail_range(at, at + kSector);
    const Report& report = examined.analyze();
    for (const DamagedImage::Damage& damage : image.damage()) {
      const bool needed = std::ranges::any_of(damage.known_by, [at](const DataExtent& extent) {
        return extent.begin < at + kSector && at < extent.end;
      });
      EXPECT_TRUE(needed || finds(report, damage))
          << damage.rule->id << " at " << damage.offset << " is hidden by the sector at " << at << '\n'
          << describe(report);
    }
  }
}

TEST_P(IoErrors, threads_find_the_same) {
  for (std::uint64_t at = 0; at < image_->size_bytes(); at += 37 * kSector) {
    Examined one(*image_, data_file_.get()), four(*image_, data_file_.get());
    for (Examined* examined : {&one, &four}) examined->image_faults.fail_range(at, at + 20 * kSector);
    EXPECT_TRUE(one.analyze().findings == four.analyze(4).findings)
        << at << '\n'
        << describe(one.report) << describe(four.report);
  }
}

INSTANTIATE_TEST_SUITE_P(images, IoErrors, testing::ValuesIn(kQemuSamples),
                         [](const auto& sample) { return std::string(sample.param.name); });

}  // namespace
}  // namespace cowvet
