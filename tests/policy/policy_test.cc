#include "checker/policy/policy.h"

#include <gmock/gmock.h>

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

TEST(Policy, is_not_made_of_a_file_that_cannot_be_read) {
  EXPECT_FALSE(load_policy("/no/such/policy"));
  EXPECT_FALSE(load_policy("/"));
  EXPECT_TRUE(load_policy("/dev/null"));
}

}  // namespace
}  // namespace cowvet
