// Plans where circumstances are bad: a part of the image or of its data file cannot be read, or it is on a
// block device, which cannot grow and holds something else behind its end. They are made of what was seen,
// write nothing where nothing was seen, and do no harm to what was there.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <random>

#include "checker/analysis/passes.h"
#include "checker/device/memory_device.h"
#include "checker/device/read_fully.h"
#include "checker/planning/planner.h"
#include "checker/planning/rehearsal.h"
#include "tests/planning/recipe_files.h"
#include "tests/support/carry_out.h"
#include "tests/support/fault_device.h"

namespace cowvet {
namespace {

// A data file of which a part may not be readable.
class DataFile final : public Device {
 public:
  DataFile(const std::vector<std::byte>& bytes, const std::string& name, DataExtent unreadable)
      : memory_(bytes, name), faulty_(memory_) {
    if (unreadable.begin != unreadable.end) faulty_.fail_range(unreadable.begin, unreadable.end);
  }
  const std::string& name() const override { return memory_.name(); }
  std::uint64_t size_bytes() const override { return memory_.size_bytes(); }
  std::expected<void, IoError> read(std::uint64_t offset, std::span<std::byte> out) const override {
    return faulty_.read(offset, out);
  }
  DataExtent next_data(std::uint64_t offset) const override { return memory_.next_data(offset); }

 private:
  MemoryDevice memory_;
  FaultDevice faulty_;
};

OpenCompanion opens(const std::optional<std::vector<std::byte>>& data_file, DataExtent unreadable = {}) {
  return [&data_file, unreadable](const std::string& name) {
    Companion companion{.state = Companion::State::missing, .path = name, .why = "not there"};
    if (!data_file) return companion;
    companion.state = Companion::State::open;
    companion.device = std::make_unique<DataFile>(*data_file, name, unreadable);
    return companion;
  };
}

class TestDevice final : public WrappingDevice {
 public:
  TestDevice(const Device& below, bool is_block_device)
      : WrappingDevice(below), is_block_device_(is_block_device) {}
  bool is_block_device() const override { return is_block_device_; }

 private:
  bool is_block_device_;
};

// What is in the files, all of it readable.
struct Truth {
  Truth(const std::vector<std::byte>& image, const std::optional<std::vector<std::byte>>& data_file,
        bool is_block_device)
      : memory(image),
        device(memory, is_block_device),
        inputs{device, opens(data_file), {}},
        context(inputs, options, progress) {
    run_passes(context);
    context.report = finish_report(context);
  }

  MemoryDevice memory;
  TestDevice device;
  Inputs inputs;
  Options options{.threads = 1, .deep = true, .findings_per_rule = 0};
  Progress progress;
  Context context;
};

struct Case : RecipeFiles {
  using RecipeFiles::RecipeFiles;

  // Plans with a device that `spoil` made fail; a plan that says it is fit must not harm the files as they
  // are. Whether anything failed.
  template <typename Spoil>
  bool plan(Spoil spoil, bool must_be_fit) const {
    const MemoryDevice readable(image);
    bool failed = false;
    for (const bool all_consents : {false, true}) {
      SCOPED_TRACE(all_consents);
      FaultDevice faulty(readable);
      spoil(faulty);
      const TestDevice device(faulty, is_block_device);
      const auto plan =
          make_plan({device, opens(data_file, unreadable_data), {}},
                    {.allow_metadata = all_consents, .allow_lossy = all_consents, .threads = 1});
      if (plan && must_be_fit) {
        EXPECT_EQ(plan->unfit, "");
      }
      if (plan && plan->unfit.empty()) expect_no_harm(*plan);
      failed = failed || faulty.failures() != 0;
    }
    return failed;
  }

  void expect_no_harm(const Plan& plan) const {
    if (plan.empty()) return;
    std::vector<std::byte> repaired = image;
    std::optional<std::vector<std::byte>> repaired_data = data_file;
    ASSERT_TRUE(carry_out(plan, repaired, repaired_data)) << "it writes where nothing could be read";
    if (is_block_device) {
      EXPECT_EQ(repaired.size(), image.size());
    }
    const Truth before(image, data_file, is_block_device);
    const Truth after(repaired, repaired_data, is_block_device);
    // Nothing is freed while something is unknown, not even what the plan gave up.
    std::set<RuleId> found_before{rule("refcount/leak"), rule("refcount/too-high"),
                                  rule("refcount/orphan-mapping"), rule("header/l1-implausible")};
    for (const RuleTotal& total : before.context.report.totals) found_before.insert(total.rule);
    // What counts the clusters may have been another structure.
    if (found_before.contains(rule("overlap/metadata")))
      found_before.insert({rule("l1/copied"), rule("l2/copied")});
    EXPECT_EQ(find_harm(before.context, after.context, found_before, plan.steps), "");
  }

  bool is_block_device = false;
  DataExtent unreadable_data;
};

// How many places of each image are tried; COWVET_BAD_PLACES in the environment: another number.
std::uint64_t places() {
  const char* number = std::getenv("COWVET_BAD_PLACES");
  return number ? std::strtoull(number, nullptr, 10) : 4;
}

// Two clusters of the largest size.
const std::vector<std::byte>& noise() {
  static const std::vector<std::byte> bytes = [] {
    std::vector<std::byte> made(4 << 20);
    std::mt19937 random(1);
    std::ranges::generate(made, [&] { return static_cast<std::byte>(random()); });
    return made;
  }();
  return bytes;
}

// Each test takes its share of the recipes.
constexpr std::size_t kShares = 32;

class HarmlessPlans : public testing::TestWithParam<std::size_t> {
 protected:
  template <typename Try>
  void for_each_recipe(Try try_recipe) {
    for (std::size_t i = GetParam(); i < recipes().size(); i += kShares) {
      SCOPED_TRACE(recipes()[i].name);
      Case damaged(recipes()[i]);
      try_recipe(damaged, i);
    }
  }
};

TEST_P(HarmlessPlans, write_nothing_where_nothing_can_be_read) {
  for_each_recipe([](Case& damaged, std::size_t number) {
    const std::uint64_t sectors = divide_up(damaged.image.size(), kSectorBytes);
    const std::uint64_t tries = std::min(places(), sectors);
    for (std::uint64_t i = 0; i < tries; ++i) {
      // Other places in other recipes.
      const std::uint64_t begin = (i * sectors / tries + number) % sectors * kSectorBytes;
      SCOPED_TRACE(fmt::format("sector at {:#x}", begin));
      damaged.plan([&](FaultDevice& device) { device.fail_range(begin, begin + kSectorBytes); }, true);
    }
  });
}

TEST_P(HarmlessPlans, write_nothing_where_a_data_file_cannot_be_read) {
  for_each_recipe([](Case& damaged, std::size_t number) {
    const std::uint64_t sectors = damaged.data_file ? divide_up(damaged.data_file->size(), kSectorBytes) : 0;
    const std::uint64_t tries = std::min(places(), sectors);
    for (std::uint64_t i = 0; i < tries; ++i) {
      const std::uint64_t begin = (i * sectors / tries + number) % sectors * kSectorBytes;
      SCOPED_TRACE(fmt::format("sector of the data file at {:#x}", begin));
      damaged.unreadable_data = {begin, begin + kSectorBytes};
      damaged.plan([](FaultDevice&) {}, true);
    }
  });
}

// A read that fails once, and not again: what two passes saw differs.
TEST_P(HarmlessPlans, are_made_of_reads_that_fail_always_or_never) {
  for_each_recipe([](Case& damaged, std::size_t number) {
    bool failed = true;
    for (std::uint64_t read = 1 + number % 4; failed; read += 1 + read / (places() / 4 + 1)) {
      SCOPED_TRACE(fmt::format("read {}", read));
      failed = damaged.plan([&](FaultDevice& device) { device.fail_read(read); }, false);
    }
  });
}

// A block device cannot grow; what lies behind the image is what was there before it.
TEST_P(HarmlessPlans, keep_within_block_devices) {
  for_each_recipe([](Case& damaged, std::size_t) {
    damaged.is_block_device = true;
    const std::size_t image_bytes = damaged.image.size();
    for (const std::size_t more : {std::size_t{0}, std::size_t{512}, noise().size()}) {
      SCOPED_TRACE(fmt::format("{} bytes behind the image", more));
      damaged.image.resize(image_bytes);
      damaged.image.insert(damaged.image.end(), noise().begin(),
                           noise().begin() + static_cast<std::ptrdiff_t>(more));
      // Where there is no room for a cluster, no plan may be fit.
      damaged.plan([](FaultDevice&) {}, more == noise().size());
    }
  });
}

INSTANTIATE_TEST_SUITE_P(all, HarmlessPlans, testing::Range<std::size_t>(0, kShares));

}  // namespace
}  // namespace cowvet
