// cowvet check --evidence and cowvet report --evidence.
#include <gmock/gmock.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "checker/cli/evidence_keeper.h"
#include "checker/device/file_device.h"
#include "checker/report/verdict.h"
#include "tests/cli/cli_test_base.h"
#include "tests/support/background_command.h"

namespace cowvet {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class EvidenceTest : public CliTest {
 protected:
  void make_pair() const {
    prepare(
        "qemu-img create -q -f qcow2 -o data_file=d.raw a.qcow2 1M; qemu-io -c 'write -P 7 0 64k' a.qcow2");
  }
  std::string sum(const std::string& name) const { return shell("sha256sum <" + name + " | head -c 64").out; }
  json report_of(const std::string& arguments, int status) const {
    const CommandResult result = cowvet("check --evidence --output json " + arguments);
    EXPECT_EQ(result.status, status) << result.out << result.err;
    return json::parse(result.out);
  }
  // Where reading changes the access time of a file that was read long ago.
  bool access_times_are_kept_here() const {
    return shell(
               "echo x >probe; touch -a -d '3 days ago' probe; stat -c %x probe >old; cat probe; rm -f new;"
               "stat -c %x probe | cmp -s - old")
               .status != 0;
  }
};

constexpr const char* kLook = "stat -c '%n %s %x %y %z %h' a.qcow2 d.raw; ls -AR . | grep -v '^log$'";

TEST_F(EvidenceTest, leaves_no_trace) {
  make_pair();
  if (!access_times_are_kept_here()) GTEST_SKIP() << "this file system records no access times";
  prepare("rm -f probe old; touch -a -d '3 days ago' a.qcow2 d.raw; touch log");
  const std::string before = shell(kLook).out;
  EXPECT_EQ(cowvet("check --evidence a.qcow2 >log").status, 0);
  EXPECT_EQ(shell(kLook).out, before);
  EXPECT_THAT(shell("cat log").out, Not(HasSubstr("access time")));
  prepare("cat a.qcow2 >log");
  EXPECT_NE(shell(kLook).out, before) << "the test would see nothing";
}

TEST_F(EvidenceTest, says_where_it_cannot_keep_the_access_time) {
  if (getuid() != 0) GTEST_SKIP() << "needs to become somebody else than the owner";
  make_pair();
  prepare("chmod 755 .; chmod 644 a.qcow2 d.raw; cp " + shell_quote(COWVET_PROGRAM) +
          " cowvet; touch -a -d '3 days ago' a.qcow2 d.raw");
  const bool recorded = access_times_are_kept_here();
  const CommandResult result =
      shell("setpriv --reuid 65534 --regid 65534 --clear-groups ./cowvet check --evidence a.qcow2");
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("a.qcow2: its access time may change"));
  if (recorded) {
    EXPECT_THAT(result.out, HasSubstr("its access time changed"));
  }
}

TEST_F(EvidenceTest, gives_the_digests_of_the_image_and_of_its_data_file) {
  make_pair();
  const json report = report_of("a.qcow2", 0);
  const json& evidence = report.at("evidence");
  ASSERT_EQ(evidence.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    const std::string name = i == 0 ? "a.qcow2" : "d.raw";
    EXPECT_EQ(evidence[i].at("path"), name);
    EXPECT_EQ(evidence[i].at("file"), i == 0 ? "image" : "data-file");
    EXPECT_EQ(evidence[i].at("before"), evidence[i].at("after"));
    EXPECT_EQ(evidence[i].at("before").at("sha256"), sum(name));
    EXPECT_EQ(evidence[i].at("before").at("modified"),
              shell("TZ=UTC stat -c %y " + name + " | sed 's/ /T/; s/ .*/Z/' | tr -d '\\n'").out);
    EXPECT_EQ(evidence[i].at("changed"), false);
  }
  const std::string text = cowvet("check --evidence a.qcow2").out;
  EXPECT_THAT(text, HasSubstr("after   " + sum("a.qcow2") + ", unchanged"));
  EXPECT_THAT(text, HasSubstr("after   " + sum("d.raw") + ", unchanged"));
  EXPECT_FALSE(json::parse(cowvet("check --output json a.qcow2").out).contains("evidence"));
}

// Planning reads the files several times over.
TEST_F(EvidenceTest, names_every_member_of_a_chain_once) {
  prepare(
      "mkdir bases; qemu-img create -q -f raw bases/0.raw 1M;"
      "qemu-img create -q -f qcow2 -b 0.raw -F raw bases/1.qcow2;"
      "qemu-img create -q -f qcow2 -b bases/1.qcow2 -F qcow2 a.qcow2;"
      "echo allow backing-file $PWD/bases >policy");
  const json evidence = report_of("--policy policy --plan plan a.qcow2", 0).at("evidence");
  std::vector<std::string> digests;
  for (const json& file : evidence) digests.push_back(file.at("after").at("sha256"));
  EXPECT_THAT(digests, testing::ElementsAre(sum("a.qcow2"), sum("bases/1.qcow2"), sum("bases/0.raw")));
}

TEST_F(EvidenceTest, refuses_an_image_in_use) {
  make_image("a.qcow2");
  BackgroundCommand guest("exec qemu-io a.qcow2", directory_.path());
  ASSERT_TRUE(guest.ask("read 0 512", "read 512/512"));
  EXPECT_THAT(cowvet("check --evidence a.qcow2").err, HasSubstr("in use"));
  EXPECT_EQ(cowvet("check --evidence -U a.qcow2").status, 0);
}

// It takes a while until the digest of so much is known: time to change something. QEMU would not do that
// under a lock.
TEST_F(EvidenceTest, takes_no_lock_and_says_loudly_that_an_image_changed) {
  make_image("a.qcow2");
  prepare("truncate -s 1G a.qcow2");
  const CommandResult result =
      shell(shell_quote(COWVET_PROGRAM) +
            " check --evidence --output json a.qcow2 >log & "
            "for i in $(seq 1000); do ls -l /proc/$!/fd 2>/dev/null | grep -q 'a.qcow2$' && break; sleep 0.01; done;"
            "qemu-io -c 'write -P 9 0 64k' a.qcow2 || echo was locked; wait $!");
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.out, HasSubstr("wrote 65536/65536"));
  const json report = json::parse(shell("cat log").out);
  EXPECT_EQ(report.at("verdict"), "incomplete");
  EXPECT_THAT(report.at("summary").get<std::string>(), HasSubstr("a.qcow2 changed while it was examined"));
  EXPECT_EQ(report.at("evidence")[0].at("changed"), true);
  EXPECT_THAT(report.at("findings").dump(), HasSubstr("\"rule\":\"file/changed\""));
}

class Keeper : public CliTest {
 protected:
  // The report when `script` ran between the two looks.
  Report report_around(const std::string& script) const {
    Progress progress;
    EvidenceKeeper keeper(progress);
    const auto device = keeper.keep(File::image, "f", *FileDevice::open(directory_.file("f")));
    prepare(script);
    Report report{.is_qcow2 = true};
    keeper.close(report);
    return report;
  }
  std::string change_of(const std::string& script) const {
    const Report report = report_around(script);
    return report.findings.empty() ? "" : report.findings.front().detail;
  }
};

TEST_F(Keeper, notices_every_way_to_change_a_file) {
  prepare("seq 100000 >f; truncate -s 2M f");
  EXPECT_EQ(change_of("true"), "");
  EXPECT_EQ(change_of("cat f >/dev/null"), "");
  EXPECT_THAT(change_of("truncate -s 3M f"), HasSubstr("from 2097152 bytes to 3145728"));
  EXPECT_THAT(change_of("printf x | dd of=f bs=1 seek=5 conv=notrunc status=none"),
              HasSubstr("bytes are others"));
  // Into what was a hole when it was read before.
  EXPECT_THAT(change_of("printf x | dd of=f bs=1 seek=2000000 conv=notrunc status=none"),
              HasSubstr("bytes are others"));
  EXPECT_THAT(change_of("cp f g; cat g >f"), HasSubstr("its times are not"));
  EXPECT_THAT(change_of("chmod 600 f; touch f"), HasSubstr("its times are not"));
}

TEST_F(Keeper, makes_a_change_the_verdict_of_whatever_was_found) {
  prepare("seq 100 >f");
  Report report = report_around("echo more >>f");
  EXPECT_EQ(verdict_of(report), Verdict::incomplete);
  report.is_qcow2 = false;
  EXPECT_EQ(exit_status_of(report, {}), 1);
}

TEST_F(EvidenceTest, is_part_of_the_page_of_cowvet_report) {
  make_pair();
  EXPECT_EQ(cowvet("report --evidence a.qcow2 -o page.html").status, 0);
  EXPECT_EQ(shell("grep -c 'image a.qcow2, before.*" + sum("a.qcow2") + "' page.html").out, "1\n");
  EXPECT_EQ(shell("grep -c 'data-file d.raw, after.*" + sum("d.raw") + "' page.html").out, "1\n");
  EXPECT_EQ(cowvet("report --evidence --no-hash a.qcow2 -o other.html").status, 1);
}

}  // namespace
}  // namespace cowvet
