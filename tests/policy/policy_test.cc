#include "checker/policy/policy.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <fstream>
#include <iterator>
#include <regex>

namespace cowvet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Policy, without_a_statement_allows_nothing) {
  const auto policy = parse_policy("# nothing\n\n   \t\n");
  ASSERT_TRUE(policy);
  EXPECT_THAT(policy->backing_directories, IsEmpty());
  EXPECT_THAT(policy->data_file_directories, IsEmpty());
  EXPECT_FALSE(policy->snapshots || policy->dirty || policy->luks);
  EXPECT_TRUE(policy->partition_table);
}

TEST(Policy, takes_every_statement) {
  const auto policy = parse_policy(
      "allow backing-file /tmp\n  allow  backing-file /usr # no comment here\r\n"
      "allow data-file /\nallow snapshots\nallow dirty\nallow encryption\nrefuse partition-table\n"
      "limit virtual-size 2G\nlimit file-size 512k\nlimit backing-files 3");
  ASSERT_FALSE(policy);  // a '#' in a name is part of the name
  EXPECT_THAT(policy.error(), HasSubstr("line 2: "));
  const auto taken = parse_policy(
      "allow backing-file /tmp\n  allow  backing-file /usr\r\nallow data-file /\nallow snapshots\n"
      "allow dirty\nallow encryption\nrefuse partition-table\nlimit virtual-size 2G\n"
      "limit file-size 512k\nlimit backing-files 3");
  ASSERT_TRUE(taken) << taken.error();
  EXPECT_THAT(taken->backing_directories, ElementsAre("/tmp", "/usr"));
  EXPECT_THAT(taken->data_file_directories, ElementsAre("/"));
  EXPECT_TRUE(taken->snapshots && taken->dirty && taken->luks);
  EXPECT_FALSE(taken->partition_table);
  EXPECT_EQ(taken->virtual_bytes, std::uint64_t{2} << 30);
  EXPECT_EQ(taken->file_bytes, 512U << 10);
  EXPECT_EQ(taken->backing_files, 3U);
}

TEST(Policy, refuses_what_it_does_not_understand) {
  for (const char* line :
       {"allow", "allow everything", "permit dirty", "allow dirty now", "limit virtual-size",
        "limit file-size many", "allow data-file", "allow backing-file relative",
        "allow backing-file /no/such/directory", "refuse dirty"}) {
    const auto policy = parse_policy(std::string("allow snapshots\n") + line + "\n");
    ASSERT_FALSE(policy) << line;
    EXPECT_THAT(policy.error(), HasSubstr("line 2: ")) << line;
  }
}

std::string text_of(const std::string& path) {
  std::ifstream in(COWVET_SOURCE_DIR "/checker/" + path);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Every statement of the format, with a value that it takes.
constexpr std::pair<std::string_view, std::string_view> kStatements[] = {
    {"allow backing-file", "/"},  {"allow data-file", "/"},  {"allow snapshots", ""},
    {"allow dirty", ""},          {"allow encryption", ""},  {"refuse partition-table", ""},
    {"limit virtual-size", "1G"}, {"limit file-size", "1G"}, {"limit backing-files", "1"}};

TEST(Policy, is_described_in_its_manual_page_and_in_the_example) {
  std::string page = text_of("packaging/pages/cowvet-policy.5");
  std::erase(page, '\\');
  const std::string example = text_of("share/policy/boot.policy");
  for (const auto& [statement, value] : kStatements) {
    EXPECT_TRUE(parse_policy(fmt::format("{} {}", statement, value))) << statement;
    EXPECT_THAT(page, HasSubstr(fmt::format("fB{}fR", statement)));
    EXPECT_THAT(example, HasSubstr(fmt::format("\n#{}", statement)));
  }
}

TEST(Policy, of_the_example_allows_nothing_until_somebody_wants_it) {
  const std::string example = text_of("share/policy/boot.policy");
  EXPECT_TRUE(parse_policy(example));
  EXPECT_THAT(example, testing::Not(testing::ContainsRegex("(^|\n)[^#\n]")));
  // With all of it wanted, on a host that has the directories.
  const std::string wanted = std::regex_replace(std::regex_replace(example, std::regex("\n#([a-z])"), "\n$1"),
                                                std::regex("/var/lib[^\n]*"), "/tmp");
  const auto policy = parse_policy(wanted);
  ASSERT_TRUE(policy) << policy.error();
  EXPECT_TRUE(policy->snapshots && policy->dirty && policy->luks && !policy->partition_table);
}

TEST(Policy, is_not_made_of_a_file_that_cannot_be_read) {
  EXPECT_FALSE(load_policy("/no/such/policy"));
  EXPECT_FALSE(load_policy("/"));
  EXPECT_TRUE(load_policy("/dev/null"));
}

}  // namespace
}  // namespace cowvet
