// Images as QEMU makes them, with everything in them: no mode of cowvet-repair changes a byte.
#include "tests/repair_cli/repair_cli_test_base.h"
#include "tests/support/qemu_samples.h"

namespace cowvet {
namespace {

class SoundSample : public RepairCliTest, public testing::WithParamInterface<QemuSample> {};

TEST_P(SoundSample, is_not_changed_by_any_mode) {
  make_qemu_sample(GetParam(), directory_.path());
  const std::string files = names();
  const std::string before = shell("sha256sum *").out;
  for (const char* options :
       {"--yes", "--yes --deep", "--yes --leaks-only", "--yes --allow lossy --allow metadata --no-undo",
        "--dry-run --deep", "--yes --output new", "--yes --journal j", "--yes --max-memory 1M --threads 1",
        "--undo", "--resume", "--rollback"}) {
    const bool is_about_the_past = std::string(options).find("--yes") == std::string::npos &&
                                   std::string(options).find("--dry-run") == std::string::npos;
    EXPECT_EQ(repair(std::string(options) + " a.qcow2").status, is_about_the_past ? 64 : 0) << options;
    EXPECT_EQ(names(), files) << options;
    EXPECT_EQ(shell("sha256sum *").out, before) << options;
  }
  EXPECT_EQ(cowvet("check -q --plan plan a.qcow2").status, 0);
  EXPECT_EQ(repair("--yes --plan plan a.qcow2").status, 0);
  prepare("rm plan");
  EXPECT_EQ(shell("sha256sum *").out, before);
}

INSTANTIATE_TEST_SUITE_P(Qemu, SoundSample, testing::ValuesIn(kQemuSamples),
                         [](const auto& sample) { return std::string(sample.param.name); });

}  // namespace
}  // namespace cowvet
