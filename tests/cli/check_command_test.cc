#include <fmt/format.h>
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/cli/cli_test_base.h"
#include "tests/support/background_command.h"

namespace cowvet {
namespace {

using nlohmann::json;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using testing::StartsWith;

using CheckCommand = CliTest;

TEST_F(CheckCommand, of_a_sound_image_ends_with_0_and_the_words_that_scripts_look_for) {
  make_image("a.qcow2");
  const CommandResult result = cowvet("check a.qcow2");
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.out, StartsWith("a.qcow2 is sound: No errors were found on the image.\n"));
  EXPECT_THAT(result.err, IsEmpty());
}

TEST_F(CheckCommand, of_leaks_ends_with_3) {
  make_leak("a.qcow2");
  const CommandResult result = cowvet("check a.qcow2");
  EXPECT_EQ(result.status, 3);
  EXPECT_EQ(shell("qemu-img check a.qcow2").status, 3);
  EXPECT_THAT(result.out,
              StartsWith("a.qcow2 wastes space, but guest data is not at risk: 1 cluster (64 KiB)"));
}

TEST_F(CheckCommand, of_corruption_ends_with_2_and_names_both_guest_ranges) {
  make_corrupt("a.qcow2");
  const CommandResult result = cowvet("check a.qcow2");
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.out, StartsWith("a.qcow2 is corrupt"));
  EXPECT_THAT(result.out, HasSubstr("guest 0x0-0xffff (64 KiB at 0 bytes)"));
  EXPECT_THAT(result.out, HasSubstr("guest 0x10000-0x1ffff (64 KiB at 64 KiB)"));
}

TEST_F(CheckCommand, of_another_format_ends_with_63_and_as_an_error_when_qcow2_was_demanded) {
  prepare("qemu-img create -q -f raw a.raw 1M; : >empty");
  EXPECT_EQ(cowvet("check a.raw").status, 63);
  EXPECT_EQ(cowvet("check empty").status, 63);
  EXPECT_EQ(cowvet("check -f qcow2 a.raw").status, 1);
  EXPECT_THAT(cowvet("check a.raw").out, StartsWith("a.raw is not a qcow2 image"));
}

TEST_F(CheckCommand, of_a_truncated_header_ends_with_1) {
  make_image("a.qcow2");
  for (const char* size : {"4", "8", "71", "103"}) {
    prepare(std::string("head -c ") + size + " a.qcow2 >cut");
    const CommandResult result = cowvet("check cut");
    EXPECT_EQ(result.status, 1) << size;
    EXPECT_THAT(result.out, StartsWith("cut could not be examined: ")) << size;
  }
}

TEST_F(CheckCommand, refuses_what_is_no_image_without_waiting_for_it) {
  prepare("mkdir directory; mkfifo fifo");
  for (const auto& [path, reason] : {std::pair("directory", "is a directory"),
                                     {"fifo", "is a FIFO"},
                                     {"missing", "No such file or directory"},
                                     {"''", "an empty name"},
                                     {"/dev/zero", "is a character device"}}) {
    const CommandResult result = shell("timeout 20 " COWVET_PROGRAM " check " + std::string(path));
    EXPECT_EQ(result.status, 1) << path;
    EXPECT_THAT(result.out, IsEmpty()) << path;
    EXPECT_THAT(result.err, StartsWith("cowvet: ")) << path;
    EXPECT_THAT(result.err, HasSubstr(reason)) << path;
  }
}

TEST_F(CheckCommand, names_wrong_usage_and_ends_with_1) {
  make_image("a.qcow2");
  for (const auto& [arguments, message] :
       {std::pair("check", "no image given"),
        {"check --nothing a.qcow2", "unrecognised option '--nothing'"},
        {"check --lim 3 a.qcow2", "unrecognised option '--lim'"},
        {"check --limit=-1 a.qcow2", "--limit takes a number, not '-1'"},
        {"check --limit 99999999999999999999 a.qcow2", "--limit takes a number"},
        {"check --threads x a.qcow2", "--threads takes a number, not 'x'"},
        {"check --threads 5000 a.qcow2", "--threads takes at most 1024"},
        {"check --max-memory 1Q a.qcow2", "--max-memory takes a size such as 512M or 2G, not '1Q'"},
        {"check --output xml a.qcow2", "--output takes human, json, jsonl, junit or sarif, not 'xml'"},
        {"check -f raw a.qcow2", "cowvet examines qcow2 images only, not 'raw'"},
        {"check --follow missing a.qcow2", "--follow takes a directory, and 'missing' is none"},
        {"check --data-file x a.qcow2 a.qcow2", "--data-file names the data file of one image, not of 2"}}) {
    const CommandResult result = cowvet(arguments);
    EXPECT_EQ(result.status, 1) << arguments;
    EXPECT_THAT(result.out, IsEmpty()) << arguments;
    EXPECT_THAT(result.err, StartsWith("cowvet: ")) << arguments;
    EXPECT_THAT(result.err, HasSubstr(message)) << arguments;
    EXPECT_THAT(result.err, HasSubstr("Try 'cowvet check --help'.")) << arguments;
  }
}

TEST_F(CheckCommand, takes_names_that_look_like_options_behind_two_dashes) {
  make_image("a.qcow2");
  prepare("mv a.qcow2 ./-q");
  EXPECT_EQ(cowvet("check -- -q").status, 0);
}

TEST_F(CheckCommand, lets_no_file_name_reach_the_terminal_unescaped) {
  EXPECT_THAT(cowvet("check \"$(printf 'x\\033[31m')\"").err, HasSubstr("x\\x1b[31m"));
}

TEST_F(CheckCommand, of_several_images_ends_with_the_worst_status) {
  make_image("sound");
  make_leak("leaky");
  make_corrupt("corrupt");
  prepare("qemu-img create -q -f raw raw 1M");
  EXPECT_EQ(cowvet("check sound sound").status, 0);
  EXPECT_EQ(cowvet("check leaky sound").status, 3);
  EXPECT_EQ(cowvet("check leaky raw sound").status, 63);
  EXPECT_EQ(cowvet("check raw corrupt leaky").status, 2);
  EXPECT_EQ(cowvet("check corrupt missing raw").status, 1);
}

TEST_F(CheckCommand, goes_on_behind_an_image_that_cannot_be_opened) {
  make_image("sound");
  const CommandResult result = cowvet("check missing sound");
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.out, HasSubstr("sound is sound"));
  EXPECT_THAT(result.err, HasSubstr("missing: No such file"));
}

TEST_F(CheckCommand, prints_a_line_of_json_for_each_of_several_images) {
  make_image("sound");
  make_corrupt("corrupt");
  const CommandResult result = cowvet("check --output=json sound missing corrupt");
  std::istringstream lines(result.out);
  std::vector<std::pair<std::string, int>> statuses;
  for (std::string line; std::getline(lines, line);) {
    const json document = json::parse(line);
    statuses.emplace_back(document["filename"], document["status"]);
  }
  EXPECT_THAT(statuses, testing::ElementsAre(Pair("sound", 0), Pair("missing", 1), Pair("corrupt", 2)));
  EXPECT_EQ(result.status, 1);
}

TEST_F(CheckCommand, quietly_prints_nothing_but_errors) {
  make_corrupt("a.qcow2");
  CommandResult result = cowvet("check -q a.qcow2");
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.out + result.err, IsEmpty());
  EXPECT_THAT(cowvet("check -q --output=json a.qcow2").out, IsEmpty());
  result = cowvet("check -q missing");
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("No such file"));
}

TEST_F(CheckCommand, lists_as_many_findings_as_asked_and_counts_all) {
  make_image("a.qcow2");
  for (std::uint64_t i = 0; i < 16; i += 2) {  // every other COPIED flag, so that no two are in a row
    const std::uint64_t entry = l2_offset("a.qcow2") + 8 * i;
    poke("a.qcow2", entry, peek("a.qcow2", entry) & ~(std::uint64_t{1} << 63));
  }
  const auto listed = [&](const std::string& limit) {
    const json document = json::parse(cowvet("check --output=json --limit " + limit + " a.qcow2").out);
    EXPECT_EQ(document["corruptions"], 8) << limit;
    EXPECT_EQ(document["rules"][0]["findings"], 8) << limit;
    return document["findings"].size();
  };
  EXPECT_EQ(listed("3"), 3);
  EXPECT_EQ(listed("20"), 8);
  EXPECT_EQ(listed("0"), 8);
  EXPECT_THAT(cowvet("check --limit 3 a.qcow2").out, HasSubstr("    ... and 5 more\n"));
}

TEST_F(CheckCommand, reports_what_it_found_even_where_the_plan_cannot_be_written) {
  make_corrupt("a.qcow2");
  const CommandResult result = cowvet("check --plan a.qcow2 a.qcow2");  // never over the image
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.out, StartsWith("a.qcow2 is corrupt"));
  EXPECT_THAT(result.err, HasSubstr("it must be a new file"));
}

TEST_F(CheckCommand, strictly_takes_notices_for_errors) {
  make_image("a.qcow2");
  prepare("head -c 100000 /dev/zero | tr '\\0' x >>a.qcow2");  // file/trailing
  EXPECT_EQ(cowvet("check a.qcow2").status, 0);
  const CommandResult result = cowvet("check --strict a.qcow2");
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.out, Not(HasSubstr("No errors were found")));
}

TEST_F(CheckCommand, refuses_an_image_that_is_being_written_unless_told_otherwise) {
  make_image("a.qcow2");
  const CommandResult result = shell(
      "mkfifo commands; qemu-io a.qcow2 <commands >ready 2>&1 & exec 3>commands;"
      "until grep -q 'qemu-io>' ready; do sleep 0.02; done;"
      "if " COWVET_PROGRAM " check a.qcow2; then echo checked; else echo refused $?; fi;" COWVET_PROGRAM
      " check -q -U a.qcow2 && echo forced $?;"
      "echo quit >&3; exec 3>&-; wait");
  EXPECT_THAT(result.out, HasSubstr("refused 1\n"));
  EXPECT_THAT(result.out, HasSubstr("forced 0\n"));
  EXPECT_THAT(result.err, HasSubstr("a.qcow2: in use"));
  EXPECT_THAT(result.err, HasSubstr("byte 101"));
}

// Of those behind the first one too, which are opened in the sandbox, where no other process can be seen.
TEST_F(CheckCommand, names_who_holds_each_of_several_images) {
  for (const auto* name : {"a", "b", "c"}) make_image(name);
  BackgroundCommand of_b("exec qemu-io b", directory_.path());
  BackgroundCommand of_c("exec qemu-io c", directory_.path());
  ASSERT_TRUE(of_b.ask("read 0 512", "read 512/512"));
  ASSERT_TRUE(of_c.ask("read 0 512", "read 512/512"));
  const CommandResult result = cowvet("check a b c");
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, ContainsRegex(fmt::format("b: in use:.*qemu-io.*{}.*U reads", of_b.process())));
  EXPECT_THAT(result.err, ContainsRegex(fmt::format("c: in use:.*qemu-io.*{}.*U reads", of_c.process())));
}

TEST_F(CheckCommand, says_that_the_disk_is_full_and_not_that_the_image_is_sound) {
  make_image("a.qcow2");
  const CommandResult result = cowvet("check a.qcow2 >/dev/full");
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("cannot write to standard output: No space left on device"));
}

TEST_F(CheckCommand, survives_being_started_without_output_or_error_output) {
  make_corrupt("a.qcow2");
  EXPECT_EQ(cowvet("check a.qcow2 >&-").status, 1);
  EXPECT_THAT(cowvet("check a.qcow2 >&-").err, HasSubstr("cannot write to standard output"));
  EXPECT_EQ(cowvet("check -p a.qcow2 2>&-").status, 2);
  EXPECT_EQ(cowvet("check missing 2>&-").status, 1);
}

TEST_F(CheckCommand, changes_nothing) {
  make_corrupt("a.qcow2");
  prepare("cp a.qcow2 before; touch -d '2001-01-01 00:00' a.qcow2; stat -c '%y %z %X' a.qcow2 >times");
  cowvet("check --deep a.qcow2");
  EXPECT_EQ(shell("stat -c '%y %z %X' a.qcow2 | diff - times && cmp a.qcow2 before").status, 0);
}

TEST_F(CheckCommand, colours_its_text_only_on_a_terminal_that_wants_it) {
  make_image("a.qcow2");
  EXPECT_THAT(cowvet("check a.qcow2").out, Not(HasSubstr("\x1b")));
  const std::string on_terminal = "script -qec '" COWVET_PROGRAM " check a.qcow2' /dev/null";
  EXPECT_THAT(shell("export TERM=xterm; unset NO_COLOR; " + on_terminal).out, HasSubstr("\x1b[1;32m"));
  EXPECT_THAT(shell("export TERM=xterm NO_COLOR=1; " + on_terminal).out, Not(HasSubstr("\x1b")));
  EXPECT_THAT(shell("export TERM=dumb; unset NO_COLOR; " + on_terminal).out, Not(HasSubstr("\x1b")));
}

TEST_F(CheckCommand, says_the_same_for_any_number_of_threads) {
  make_corrupt("a.qcow2");
  const std::string one = cowvet("check --output=json --threads 1 a.qcow2").out;
  EXPECT_EQ(cowvet("check --output=json --threads 7 a.qcow2").out, one);
  EXPECT_EQ(cowvet("check --output=json --max-memory 1k a.qcow2").out, one);
}

}  // namespace
}  // namespace cowvet
