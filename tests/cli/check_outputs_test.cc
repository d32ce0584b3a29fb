// cowvet check --output=sarif, junit and jsonl, as programs read them.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/cli/cli_test_base.h"

namespace cowvet {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class CheckOutputs : public CliTest {
 protected:
  CommandResult read(const std::string& script, const std::string& arguments) const {
    return shell("/usr/bin/python3 '" COWVET_SOURCE_DIR "/tests/report/" + script + "' " + arguments);
  }
};

TEST_F(CheckOutputs, of_several_images_are_one_document) {
  make_image("sound");
  make_corrupt("corrupt");
  EXPECT_EQ(cowvet("check --output=sarif sound corrupt missing > log 2>/dev/null").status, 1);
  const CommandResult sarif = read("read_sarif.py", "log");
  EXPECT_EQ(sarif.status, 0) << sarif.err;
  EXPECT_EQ(cowvet("check --output=junit sound corrupt missing > report.xml 2>/dev/null").status, 1);
  const CommandResult junit = read("read_junit.py", "report.xml");
  EXPECT_EQ(junit.status, 0) << junit.err;
  EXPECT_THAT(junit.out, HasSubstr("sound|verdict|passed\n"));
  EXPECT_THAT(junit.out, HasSubstr("corrupt|l2/cross-linked|failure\n"));
  EXPECT_THAT(junit.out, HasSubstr("missing|verdict|error\n"));
}

// Also of an image with a data file, and where no digest is known.
TEST_F(CheckOutputs, hold_the_digests_of_evidence) {
  prepare("qemu-img create -q -f qcow2 -o data_file=d.raw a.qcow2 1M; qemu-io -c 'write 0 64k' a.qcow2");
  const auto sum = [&](const std::string& name) { return shell("sha256sum <" + name + " | head -c 64").out; };
  EXPECT_EQ(cowvet("check --evidence --output=sarif a.qcow2 > log").status, 0);
  EXPECT_EQ(read("read_sarif.py", "log").status, 0);
  const json artifacts = json::parse(shell("cat log").out)["runs"][0]["artifacts"];
  ASSERT_EQ(artifacts.size(), 2u);
  const std::string names[] = {"a.qcow2", "d.raw"};
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(artifacts[i]["location"]["uri"], names[i]);
    EXPECT_EQ(artifacts[i]["hashes"], json({{"sha-256", sum(names[i])}}));
    EXPECT_EQ(artifacts[i]["properties"]["evidence"]["after"]["sha256"], sum(names[i]));
    EXPECT_EQ(artifacts[i]["properties"]["evidence"]["changed"], false);
  }
  EXPECT_EQ(artifacts[0]["properties"]["verdict"], "sound");
  EXPECT_FALSE(artifacts[1]["properties"].contains("verdict"));

  EXPECT_EQ(cowvet("check --evidence --output=junit a.qcow2 > report.xml").status, 0);
  EXPECT_EQ(read("read_junit.py", "report.xml").status, 0);
  const std::string properties =
      shell("xmllint --xpath '/testsuites/testsuite/*[1]/property' report.xml").out;
  for (const std::string& name : names) EXPECT_THAT(properties, HasSubstr(name));
  EXPECT_THAT(properties, HasSubstr("name=\"evidence.1.sha256-before\" value=\"" + sum("a.qcow2") + "\""));
  EXPECT_THAT(properties, HasSubstr("name=\"evidence.2.sha256-after\" value=\"" + sum("d.raw") + "\""));
  EXPECT_EQ(cowvet("check --output=junit a.qcow2 | grep -c properties").out, "0\n");
}

TEST_F(CheckOutputs, name_an_image_once_that_is_given_twice) {
  make_image("a");
  cowvet("check --output=sarif a a missing missing > log");
  const CommandResult result = read("read_sarif.py", "log");
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(json::parse(shell("cat log").out)["runs"][0]["artifacts"].size(), 1u);
}

// read_sarif.py holds every log to it; here that is seen to happen.
TEST_F(CheckOutputs, are_held_to_the_schema_of_sarif) {
  if (read("read_sarif.py", "--schema").status != 0)
    GTEST_SKIP() << "the schema is in the npm package @microsoft/jest-sarif, which is not installed";
  make_corrupt("corrupt");
  cowvet("check --output=sarif --evidence --fixes corrupt missing > log");
  EXPECT_EQ(read("read_sarif.py", "log").status, 0);
  json log = json::parse(shell("cat log").out);
  log["runs"][0]["results"][0]["level"] = "awful";  // the classes take any text
  std::ofstream(directory_.file("wrong")) << log;
  const CommandResult wrong = read("read_sarif.py", "wrong");
  EXPECT_NE(wrong.status, 0);
  EXPECT_THAT(wrong.err, HasSubstr("ValidationError"));
}

TEST_F(CheckOutputs, hold_the_findings_that_the_limit_leaves) {
  make_image("a.qcow2");
  for (std::uint64_t i = 0; i < 8; i += 2)  // COPIED cleared
    poke("a.qcow2", l2_offset("a.qcow2") + 8 * i,
         peek("a.qcow2", l2_offset("a.qcow2") + 8 * i) & ~(1ull << 63));
  const auto results = [&](const std::string& limit) {
    return json::parse(
        cowvet("check --output=sarif --limit " + limit + " a.qcow2").out)["runs"][0]["results"];
  };
  EXPECT_EQ(results("0").size(), 4U);
  EXPECT_EQ(results("3").size(), 3U);
}

TEST_F(CheckOutputs, name_the_bytes_of_a_finding) {
  make_corrupt("a.qcow2");
  const json log = json::parse(cowvet("check --output=sarif a.qcow2").out);
  const json& results = log["runs"][0]["results"];
  const auto at = std::ranges::find(results, "l2/cross-linked", [](const json& r) { return r["ruleId"]; });
  ASSERT_NE(at, results.end());
  EXPECT_EQ((*at)["level"], "error");
  EXPECT_EQ((*at)["locations"][0]["physicalLocation"]["region"],
            json({{"byteOffset", l2_offset("a.qcow2") + 8}, {"byteLength", 8}}));
}

// Images with what the plan changes: in place, and behind the end of the file.
TEST_F(CheckOutputs, hold_fixes_that_repair_the_image) {
  make_leak("leak");
  make_image("corrupt");
  poke("corrupt", l2_offset("corrupt") + 8, peek("corrupt", l2_offset("corrupt") + 8) | 4);  // reserved bits
  make_image("wiped");
  prepare("dd if=/dev/zero of=wiped bs=64k seek=2 count=1 conv=notrunc status=none");
  for (const std::string image : {"leak", "corrupt", "wiped"}) {
    EXPECT_NE(cowvet("check -q " + image).status, 0) << image;
    cowvet("check --output=sarif --fixes " + image + " > log");
    const CommandResult fixed = read("read_sarif.py", "log " + image);
    ASSERT_EQ(fixed.status, 0) << image << fixed.err;
    EXPECT_EQ(cowvet("check -q " + image).status, 0) << image;
    EXPECT_EQ(shell("qemu-img check -q " + image).status, 0) << image;
  }
}

TEST_F(CheckOutputs, hold_no_fix_for_what_needs_no_repair) {
  make_image("sound");
  prepare("echo text > text");
  EXPECT_EQ(cowvet("check --output=sarif --fixes sound text > log").status, 63);
  EXPECT_EQ(shell("grep -c artifactChanges log").out, "0\n");
}

// What a user would look for in vain is said.
TEST_F(CheckOutputs, say_why_there_is_no_fix_and_what_it_leaves_out) {
  make_image("lossy");
  poke("lossy", l2_offset("lossy") + 8, std::uint64_t{0x8000000000000000} | (std::uint64_t{1} << 40));
  make_leak("interrupted");
  prepare("touch interrupted.cowvet-journal");
  const auto invocation = [&](const std::string& image) {
    cowvet("check --output=sarif --fixes " + image + " > log");
    EXPECT_EQ(read("read_sarif.py", "log").status, 0);
    return json::parse(shell("cat log").out)["runs"][0]["invocations"][0];
  };
  const json lossy = invocation("lossy");
  EXPECT_EQ(lossy["executionSuccessful"], true);
  ASSERT_FALSE(lossy["toolExecutionNotifications"].empty());
  EXPECT_EQ(lossy["toolExecutionNotifications"][0]["level"], "note");
  EXPECT_THAT(lossy.dump(), HasSubstr("for want of consent"));
  EXPECT_THAT(invocation("interrupted").dump(), HasSubstr("a repair was interrupted"));
}

// Private copies of 257 clusters: the plan itself is no longer than any other, what it writes is.
TEST_F(CheckOutputs, say_that_a_plan_is_too_large_for_a_fix) {
  prepare("qemu-img create -q -f qcow2 large 64M && qemu-io -c 'write -P 7 0 33M' large");
  const std::uint64_t l2 = l2_offset("large");
  for (std::uint64_t entry = 0; entry < 257; ++entry)
    poke("large", l2 + 8 * (257 + entry), peek("large", l2 + 8 * entry));
  EXPECT_EQ(cowvet("check --output=sarif --fixes large > log").status, 2);
  EXPECT_EQ(read("read_sarif.py", "log").status, 0);
  const std::string log = shell("cat log").out;
  EXPECT_THAT(log, HasSubstr("large has no fix here, because it writes more than 16 MiB"));
  EXPECT_THAT(log, Not(HasSubstr("artifactChanges")));
}

TEST_F(CheckOutputs, refuse_options_that_do_not_go_together) {
  EXPECT_THAT(cowvet("check --fixes a").err, HasSubstr("--fixes goes with --output sarif"));
  EXPECT_THAT(cowvet("check --output=xml a").err, HasSubstr("not 'xml'"));
}

}  // namespace
}  // namespace cowvet
