// The whole program on small corpora.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "checker/analysis/kept_clusters.h"
#include "checker/device/file_device.h"
#include "checker/planning/kept_record.h"
#include "tests/cli/cli_test_base.h"

namespace cowvet {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using testing::HasSubstr;

class TriageCommand : public CliTest {
 protected:
  // In c/: two sound images, two that are corrupt alike, one with a leak, one file that is no image.
  void make_corpus() const {
    prepare("mkdir -p c/sub");
    make_image("c/sound-1");
    prepare("cp c/sound-1 c/sub/sound-2 && qemu-io -c 'write -P 7 1M 1M' c/sub/sound-2");
    make_corrupt("c/sub/corrupt-small");
    prepare("cp c/sub/sound-2 c/corrupt-large");
    poke("c/corrupt-large", l2_offset("c/corrupt-large") + 8,
         peek("c/corrupt-large", l2_offset("c/corrupt-large")));
    make_leak("c/leak");
    prepare("head -c 5000 /dev/zero >c/zeros");
  }

  static std::vector<Json> lines_of(const std::string& text, const std::string& type) {
    std::vector<Json> found;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
      if (Json json = Json::parse(line); json["type"] == type) found.push_back(json);
    return found;
  }
};

TEST_F(TriageCommand, groups_images_that_are_alike) {
  make_corpus();
  const CommandResult result = cowvet("triage --output json c");
  EXPECT_EQ(result.status, 2) << result.err;
  const Json json = Json::parse(result.out);
  EXPECT_EQ(json["images"], 6);
  EXPECT_EQ(json["outcomes"]["sound"], 2);
  EXPECT_EQ(json["outcomes"]["corrupt"], 2);
  EXPECT_EQ(json["outcomes"]["leaks"], 1);
  EXPECT_EQ(json["outcomes"]["not-qcow2"], 1);
  EXPECT_EQ(json["groups"].size(), 4u);
  EXPECT_EQ(json["groups"][0]["outcome"], "corrupt");
  EXPECT_EQ(json["groups"][0]["images"], 2);
  EXPECT_EQ(json["groups"][0]["smallest"], "c/sub/corrupt-small");
  EXPECT_EQ(json["groups"][0]["smallest-size"], fs::file_size(directory_.file("c/sub/corrupt-small")));
  EXPECT_EQ(json["complete"], true);
}

TEST_F(TriageCommand, prints_a_table_for_people) {
  make_corpus();
  const CommandResult result = cowvet("triage c");
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.out, HasSubstr("6 images in 4 groups: 2 corrupt, 1 leaks, 1 not-qcow2, 2 sound"));
  EXPECT_THAT(result.out, HasSubstr("c/sub/corrupt-small"));
}

TEST_F(TriageCommand, says_of_each_image_what_check_says) {
  make_corpus();
  const CommandResult result = cowvet("triage --output jsonl c");
  const auto images = lines_of(result.out, "image");
  EXPECT_EQ(images.size(), 6u);
  const std::map<std::string, int> status = {{"sound", 0}, {"leaks", 3}, {"corrupt", 2}, {"not-qcow2", 63}};
  for (const Json& image : images) {
    const std::string name = image["filename"];
    EXPECT_EQ(cowvet("check -q " + name).status, status.at(image["outcome"])) << name;
    EXPECT_EQ(image["size"], fs::file_size(directory_.file(name)));
    const Json checked = Json::parse(cowvet("check --output json " + name).out);
    for (const auto* counter : {"corruptions", "leaks", "kept-leaks", "check-errors"})
      EXPECT_EQ(image[counter], checked[counter]) << name << " " << counter;
  }
  EXPECT_EQ(lines_of(result.out, "group").size(), 4u);
  ASSERT_EQ(lines_of(result.out, "end").size(), 1u);
}

// What a repair leaves beside an image: the record of kept clusters, one that cannot be used, a journal.
TEST_F(TriageCommand, regards_what_a_repair_left_as_check_does) {
  make_leak("a");
  prepare("mkdir links && ln -s ../a links/a");
  const auto expect_agreement = [&](const std::string& image, const std::string& signature) {
    const CommandResult triage = cowvet("triage --output jsonl " + image);
    const CommandResult check = cowvet("check --output json " + image);
    EXPECT_EQ(triage.status, check.status);
    const Json line = lines_of(triage.out, "image").at(0);
    const Json checked = Json::parse(check.out);
    EXPECT_EQ(line["signature"], signature);
    for (const auto* counter : {"corruptions", "leaks", "kept-leaks"})
      EXPECT_EQ(line[counter], checked[counter]) << counter;
  };
  expect_agreement("a", "leaks v3: refcount/leak(file)");
  std::vector<KeptRun> record;
  const auto device = *FileDevice::open(directory_.file("a"));
  add_kept_runs(*device, 20, 1, 16, record);  // the cluster that make_leak() lost
  ASSERT_EQ(record.size(), 1u);
  std::ofstream(directory_.file("a.cowvet-kept")) << encode_kept_record(record);
  for (const auto* image : {"a", "links/a"})
    expect_agreement(image, "leaks v3 kept-leaks: refcount/leak(file)");
  std::ofstream(directory_.file("a.cowvet-kept")) << "something else";
  expect_agreement("a", "unreadable: the record of what a repair kept");
  prepare("rm a.cowvet-kept; touch a.cowvet-journal");
  for (const auto* image : {"a", "links/a"})
    expect_agreement(image, "unreadable v3 repair-unfinished: refcount/leak(file)");
  EXPECT_THAT(cowvet("triage --output jsonl a").out, HasSubstr("a repair was interrupted"));
}

TEST_F(TriageCommand, says_the_same_with_any_number_of_workers) {
  make_corpus();
  const std::string one = cowvet("triage --jobs 1 c").out;
  EXPECT_EQ(cowvet("triage --jobs 7 c").out, one);
  EXPECT_EQ(cowvet("triage -j 3 c/sub c/sound-1 c/corrupt-large c/leak c/zeros").out, one);
}

TEST_F(TriageCommand, distils_one_image_of_each_group) {
  make_corpus();
  prepare("cp c/sound-1 before");
  const CommandResult result = cowvet("triage --distill d c");
  EXPECT_EQ(result.status, 2) << result.err;
  const Json original = Json::parse(cowvet("triage --output json c").out);
  const Json distilled = Json::parse(cowvet("triage --output json d").out);
  EXPECT_EQ(distilled["images"], 4);
  ASSERT_EQ(distilled["groups"].size(), original["groups"].size());
  std::map<std::string, Json> of_original;
  for (const Json& group : original["groups"]) of_original[group["signature"]] = group;
  for (const Json& group : distilled["groups"]) {
    const Json& whole = of_original.at(group["signature"]);
    EXPECT_EQ(shell(fmt::format("cmp {} {}", std::string(group["smallest"]), std::string(whole["smallest"])))
                  .status,
              0);
  }
  EXPECT_EQ(shell("cmp c/sound-1 before").status, 0);
}

TEST_F(TriageCommand, distils_holes_as_holes) {
  prepare("qemu-img create -q -f qcow2 -o preallocation=metadata c.qcow2 256M");
  EXPECT_EQ(cowvet("triage --distill d c.qcow2").status, 0);
  EXPECT_EQ(shell("cmp c.qcow2 d/*").status, 0);
  EXPECT_EQ(shell("[ $(du -k d/* | cut -f1) -lt 8000 ]").status, 0);
}

TEST_F(TriageCommand, distils_into_nothing_that_is_there) {
  make_corpus();
  prepare("mkdir d && touch d/precious");
  const CommandResult result = cowvet("triage --distill d c");
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("not empty"));
  EXPECT_EQ(shell("ls d").out, "precious\n");
}

TEST_F(TriageCommand, merges_shards_into_the_table_of_the_whole) {
  make_corpus();
  const std::string whole = cowvet("triage c").out;
  for (int shard = 1; shard <= 3; ++shard)
    shell(fmt::format("{} triage --shard {}/3 --output jsonl c >{}.jsonl || true", COWVET_PROGRAM, shard,
                      shard));
  const CommandResult merged = cowvet("triage --merge 3.jsonl 1.jsonl 2.jsonl");
  EXPECT_EQ(merged.out, whole);
  EXPECT_EQ(merged.status, 2);
  EXPECT_EQ(merged.err, "");
  EXPECT_EQ(cowvet("triage --merge --distill d 1.jsonl 2.jsonl 3.jsonl").status, 2);
  EXPECT_EQ(shell("ls d | wc -l").out, "4\n");
}

TEST_F(TriageCommand, tells_what_a_merge_lacks) {
  make_corpus();
  for (int shard = 1; shard <= 3; ++shard)
    shell(fmt::format("{} triage --shard {}/3 --output jsonl c >{}.jsonl || true", COWVET_PROGRAM, shard,
                      shard));
  const auto lacks = [&](const std::string& files, const std::string& words) {
    const CommandResult result = cowvet("triage --merge " + files);
    EXPECT_EQ(result.status, 1) << files;
    EXPECT_THAT(result.err, HasSubstr(words)) << files;
  };
  lacks("1.jsonl 3.jsonl", "2 of 3 shards are there; the first that is missing is 2");
  lacks("1.jsonl 2.jsonl 3.jsonl 2.jsonl", "shard 2/3 is there twice");
  lacks("1.jsonl 2.jsonl 3.jsonl 4.jsonl", "'4.jsonl' cannot be read");
  prepare(
      "head -n -1 2.jsonl >cut.jsonl; head -c -5 2.jsonl >torn.jsonl; sed 1d 1.jsonl >less.jsonl; : >empty");
  lacks("1.jsonl cut.jsonl 3.jsonl", "cut.jsonl: the run was cut off");
  lacks("1.jsonl torn.jsonl 3.jsonl", "torn.jsonl: the run was cut off");
  lacks("less.jsonl 2.jsonl 3.jsonl", "less.jsonl: ");
  lacks("1.jsonl 2.jsonl 3.jsonl empty", "empty: the run was cut off");
  lacks("c/sound-1", "is not of a triage");
}

TEST_F(TriageCommand, reports_what_cannot_be_opened_and_goes_on) {
  make_corpus();
  prepare("mkfifo pipe");
  const CommandResult result = cowvet("triage --output jsonl missing pipe c/sound-1");
  EXPECT_EQ(result.status, 1);
  std::map<std::string, std::string> signatures;
  for (const Json& image : lines_of(result.out, "image")) signatures[image["filename"]] = image["signature"];
  EXPECT_EQ(signatures["missing"], "unreadable: No such file or directory");
  EXPECT_EQ(signatures["pipe"], "unreadable: not a file or block device");
  EXPECT_EQ(signatures["c/sound-1"], "sound v3");
}

TEST_F(TriageCommand, takes_names_of_any_bytes) {
  make_image("good");
  prepare("mkdir c && mv good \"c/$(printf 'line\\nfeed \\377')\"");
  const CommandResult result = cowvet("triage --output jsonl --distill d c");
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(lines_of(result.out, "image").size(), 1u);
  EXPECT_EQ(shell("ls d | wc -l").out, "1\n");
}

TEST_F(TriageCommand, honours_locks_unless_told_not_to) {
  make_image("a");
  const auto outcome = [&](const std::string& option) {
    const CommandResult result =
        shell("qemu-io -c 'sleep 1500' a & sleep 0.5; " COWVET_PROGRAM " triage --output json " + option +
              " a || true; wait");
    return Json::parse(result.out)["groups"][0]["signature"];
  };
  EXPECT_EQ(outcome(""), "unreadable: in use");
  EXPECT_EQ(outcome("-U"), "sound v3");
}

#if !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)  // they need address space without a limit
TEST_F(TriageCommand, limits_the_memory_of_each_image) {
  make_image("a");
  const CommandResult limited = cowvet("triage --output json --max-memory 16k a");
  EXPECT_EQ(limited.status, 1);
  EXPECT_EQ(Json::parse(limited.out)["outcomes"]["out-of-memory"], 1);
  EXPECT_EQ(cowvet("triage --max-memory 64M a").status, 0);
}
#endif

TEST_F(TriageCommand, refuses_wrong_usage) {
  for (const auto* words : {"", "--merge", "--jobs x a", "--jobs 5000 a", "--timeout 0 a", "--timeout -1 a",
                            "--timeout nan a", "--shard 0/3 a", "--shard 4/3 a", "--output xml a",
                            "--merge --output jsonl a", "--merge --shard 1/2 a"})
    EXPECT_EQ(cowvet(std::string("triage ") + words).status, 1) << words;
}

TEST_F(TriageCommand, notices_that_its_output_is_lost) {
  make_image("a");
  EXPECT_EQ(cowvet("triage a >/dev/full").status, 1);
}

}  // namespace
}  // namespace cowvet
