// cowvet report: the page that it writes, in a real browser.
#include <gmock/gmock.h>

#include <filesystem>
#include <sstream>

#include "checker/analysis/kept_clusters.h"
#include "checker/device/file_device.h"
#include "checker/device/journal_name.h"
#include "checker/planning/kept_record.h"
#include "tests/cli/cli_test_base.h"

namespace cowvet {
namespace {

using testing::HasSubstr;
using testing::Not;

class ReportCommand : public CliTest {
 protected:
  std::string content(const std::string& name) const {
    std::ifstream in(directory_.file(name), std::ios::binary);
    std::ostringstream all;
    all << in.rdbuf();
    return all.str();
  }
  // Everything that a page shows, with names that try to become part of it.
  void make_hostile(const std::string& name) const {
    make_image(name);
    prepare("qemu-io -c 'write 8M 24M' " + name);
    poke(name, l2_offset(name) + 8, peek(name, l2_offset(name)));
    prepare("qemu-img snapshot -c '</script><script>window.hacked=3</script>' " + name +
            " && qemu-img bitmap --add " + name + " '\"><img src=x onerror=window.hacked=4>'");
    poke(name, l2_offset(name) + std::uint64_t{8} * 15, std::uint64_t{0});
  }
};

TEST_F(ReportCommand, writes_a_page_that_works_in_a_browser) {
  make_hostile("a.qcow2");
  prepare("mv a.qcow2 \"a '<b>.qcow2\"");
  EXPECT_EQ(cowvet("report \"a '<b>.qcow2\" -o page.html").status, 2);
  const CommandResult clicked = shell("/usr/bin/python3 '" COWVET_SOURCE_DIR
                                      "/tests/report/click_report.py' \"$PWD/page.html\" \"a '<b>.qcow2\"");
  EXPECT_EQ(clicked.status, 0) << clicked.err;
}

TEST_F(ReportCommand, names_the_digest_of_the_image) {
  make_image("a.qcow2");
  EXPECT_EQ(cowvet("report a.qcow2 -o page.html").status, 0);
  const std::string sum = shell("sha256sum < a.qcow2 | cut -d' ' -f1 | tr -d '\\n'").out;
  ASSERT_EQ(sum.size(), 64U);
  EXPECT_THAT(content("page.html"), HasSubstr(sum));
  EXPECT_EQ(cowvet("report a.qcow2 --no-hash -o other.html").status, 0);
  EXPECT_THAT(content("other.html"), Not(HasSubstr(sum)));
}

TEST_F(ReportCommand, names_a_digest_of_the_metadata_that_does_not_depend_on_guest_data) {
  make_image("a.qcow2");
  const auto digest = [&](const std::string& page) {
    cowvet("report a.qcow2 --no-hash -o " + page);
    return shell("grep -o 'metadata</th><td><code>[0-9a-f]*' " + page + " | tail -c 65").out;
  };
  const std::string before = digest("one.html");
  EXPECT_EQ(before.size(), 65U);
  poke("a.qcow2", 0x50000, ~std::uint64_t{0});
  EXPECT_EQ(digest("two.html"), before);
  poke("a.qcow2", l2_offset("a.qcow2"), std::uint64_t{0});
  EXPECT_NE(digest("three.html"), before);
}

TEST_F(ReportCommand, gives_the_same_page_again_and_never_overwrites_one) {
  make_corrupt("a.qcow2");
  cowvet("report a.qcow2 --threads 1 -o one.html");
  cowvet("report a.qcow2 --threads 4 -o two.html");
  EXPECT_EQ(content("one.html"), content("two.html"));
  const CommandResult again = cowvet("report a.qcow2 -o one.html");
  EXPECT_EQ(again.status, 1);
  EXPECT_THAT(again.err, HasSubstr("must be a new file"));
  EXPECT_EQ(cowvet("report a.qcow2 -o a.qcow2").status, 1);
  EXPECT_EQ(cowvet("check -q a.qcow2").status, 2);
}

// 4 TiB of file, with 50,000 leaked clusters between used ones.
TEST_F(ReportCommand, of_a_huge_image_is_a_small_page) {
  prepare("qemu-img create -q -f qcow2 -o preallocation=metadata,cluster_size=2M a.qcow2 4T");
  const std::uint64_t l2 = l2_offset("a.qcow2");
  for (std::uint64_t i = 0; i < 100000; i += 2) poke("a.qcow2", l2 + 8 * i, std::uint64_t{0});
  EXPECT_EQ(cowvet("report a.qcow2 --no-hash --limit 0 -o page.html").status, 3);
  EXPECT_GT(std::filesystem::file_size(directory_.file("page.html")), 100000U);
  EXPECT_LT(std::filesystem::file_size(directory_.file("page.html")), 1000000U);
}

TEST_F(ReportCommand, is_there_for_images_too_damaged_to_map) {
  make_image("a.qcow2");
  poke("a.qcow2", 20, std::uint32_t{63});  // cluster_bits
  EXPECT_EQ(cowvet("report a.qcow2 -o page.html").status, 1);
  EXPECT_THAT(content("page.html"), HasSubstr("header/cluster-bits"));
  prepare("echo text > text");
  EXPECT_EQ(cowvet("report text -o text.html").status, 63);
  EXPECT_THAT(content("text.html"), HasSubstr("is not a qcow2 image"));
}

// As for check: the record of what was kept, one that cannot be used, and the journal of an interrupted one.
TEST_F(ReportCommand, regards_what_a_repair_left_beside_the_image) {
  make_leak("a.qcow2");
  std::vector<KeptRun> record;
  add_kept_runs(**FileDevice::open(directory_.file("a.qcow2")), 20, 1, 16, record);
  std::ofstream(directory_.file("a.qcow2.cowvet-kept")) << encode_kept_record(record);
  EXPECT_EQ(cowvet("report a.qcow2 -o kept.html").status, 3);
  EXPECT_THAT(content("kept.html"), HasSubstr("a former repair kept 1 of them"));
  std::ofstream(directory_.file("a.qcow2.cowvet-kept")) << "something else";
  const CommandResult unusable = cowvet("report a.qcow2 -o unusable.html");
  EXPECT_EQ(unusable.status, 1);
  EXPECT_THAT(unusable.err, HasSubstr("a.qcow2.cowvet-kept should say"));
  prepare("rm a.qcow2.cowvet-kept; touch a.qcow2.cowvet-journal");
  EXPECT_EQ(cowvet("report a.qcow2 -o interrupted.html").status, 1);
  EXPECT_THAT(content("interrupted.html"), HasSubstr("a repair of it was interrupted"));
}

TEST_F(ReportCommand, regards_what_a_repair_left_where_its_journal_was_put) {
  make_leak("a.qcow2");
  std::vector<KeptRun> record;
  add_kept_runs(**FileDevice::open(directory_.file("a.qcow2")), 20, 1, 16, record);
  std::ofstream(directory_.file("j.kept")) << encode_kept_record(record);
  EXPECT_EQ(cowvet("report --journal j a.qcow2 -o kept.html").status, 3);
  EXPECT_THAT(content("kept.html"), HasSubstr("a former repair kept 1 of them"));
  prepare("touch j");
  EXPECT_EQ(cowvet("report --journal j a.qcow2 -o interrupted.html").status, 1);
  EXPECT_THAT(content("interrupted.html"), HasSubstr("a repair of it was interrupted"));
  // Without the option, the file beside the image leads there.
  const std::string elsewhere = directory_.file("elsewhere");
  std::ofstream(directory_.file("a.qcow2.cowvet-journal")) << encode_journal_pointer(elsewhere);
  EXPECT_EQ(cowvet("report a.qcow2 -o pointed.html").status, 1);
  EXPECT_THAT(content("pointed.html"), HasSubstr(elsewhere));
}

TEST_F(ReportCommand, says_what_it_needs) {
  EXPECT_THAT(cowvet("report a.qcow2").err, HasSubstr("--output is needed"));
  EXPECT_THAT(cowvet("report -o x").err, HasSubstr("one image is needed"));
}

}  // namespace
}  // namespace cowvet
