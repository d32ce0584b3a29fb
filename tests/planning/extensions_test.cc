// Header extensions in repairs: what the user is asked, what each answer does, and what is never dropped
// unasked. What the area holds afterwards is read with the decoder.
#include "checker/format/extensions.h"

#include <gtest/gtest.h>

#include "tests/planning/planned_repair.h"

namespace cowvet {
namespace {

constexpr std::size_t kHeaderBytes = 112;

// The data of all extensions of a type, as text, each followed by a semicolon.
std::string data_of(const PlannedRepair& repair, ExtensionType type) {
  std::string text;
  const Header header = repair.header();
  const std::size_t end = header.backing_file_offset != 0 ? header.backing_file_offset : 4096;
  const ExtensionWalk walk = walk_extensions(repair.image, kHeaderBytes, end);
  EXPECT_FALSE(walk.overrun);
  for (const Extension& extension : walk.extensions)
    if (extension.type == type)
      text += std::string(reinterpret_cast<const char*>(extension.data.data()), extension.data.size()) + ";";
  return text;
}

bool asks_for(const PlannedRepair& repair, std::string_view what) {
  return repair.consent_needed().find(what) != std::string::npos;
}

constexpr const char* kTwoFormats =
    "image size=1M\n  backing base.raw format=raw size=1M with=zeros\n"
    "  extension backing-format text=qcow2\n";

TEST(TwoFormats, are_one_by_default_the_last_which_qemu_takes) {
  const PlannedRepair repair(kTwoFormats, {});
  EXPECT_EQ(data_of(repair, ExtensionType::backing_format), "qcow2;");
  EXPECT_TRUE(repair.has_step(Remedy::choice));
}

TEST(TwoFormats, are_the_first_where_the_user_chooses_it) {
  const PlannedRepair repair(kTwoFormats, {.choices = {{"ext/duplicate", "first"}}});
  EXPECT_EQ(data_of(repair, ExtensionType::backing_format), "raw;");
  EXPECT_EQ(repair.fired(), "");
}

TEST(TwoFormats, stay_where_the_choice_is_none_of_both) {
  const PlannedRepair repair(kTwoFormats, {.choices = {{"ext/duplicate", "both"}}});
  EXPECT_TRUE(repair.plan.empty());
  EXPECT_TRUE(asks_for(repair, "ext/duplicate=first or =last")) << repair.consent_needed();
}

TEST(TwoFormats, that_are_the_same_are_one_without_a_choice) {
  const PlannedRepair repair(
      "image size=1M\n  backing base.raw format=raw size=1M with=zeros\n"
      "  extension backing-format text=raw\n  extension 0x12345678 text=kept\n",
      {});
  EXPECT_EQ(data_of(repair, ExtensionType::backing_format), "raw;");
  EXPECT_EQ(data_of(repair, static_cast<ExtensionType>(0x12345678)), "kept;");
  EXPECT_FALSE(repair.has_step(Remedy::choice));
}

constexpr const char* kNulInFormat =
    "image size=1M\n  backing base.raw format=raw size=1M with=zeros\n"
    "  replace-extension backing-format text=\"raw\\x00qcow2\"\n";

TEST(NulInAFormat, ends_it_by_default) {
  const PlannedRepair repair(kNulInFormat, {});
  EXPECT_EQ(data_of(repair, ExtensionType::backing_format), "raw;");
  EXPECT_EQ(repair.fired(), "");
}

TEST(NulInAFormat, drops_it_where_the_user_chooses_so) {
  const PlannedRepair repair(kNulInFormat, {.choices = {{"ext/backing-format-nul", "drop"}}});
  EXPECT_EQ(data_of(repair, ExtensionType::backing_format), "");
}

TEST(NulInAFormat, stays_where_the_choice_means_nothing) {
  const PlannedRepair repair(kNulInFormat, {.choices = {{"ext/backing-format-nul", "keep"}}});
  EXPECT_TRUE(repair.plan.empty());
  EXPECT_TRUE(asks_for(repair, "ext/backing-format-nul=cut or =drop")) << repair.consent_needed();
}

constexpr const char* kNoFormat = "image size=1M\n  backing base.raw size=1M with=zeros\n";

TEST(MissingFormat, is_left_unasked) {
  const PlannedRepair repair(std::string(kNoFormat) + "  set header padding=1\n",
                             {.choices = {{"ext/backing-format-missing", "raw"}}});
  EXPECT_EQ(data_of(repair, ExtensionType::backing_format), "");
  EXPECT_EQ(repair.fired(), "ext/backing-format-missing");
}

TEST(MissingFormat, is_what_the_user_says) {
  const PlannedRepair repair(kNoFormat, {.only = {"ext/backing-format-missing"},
                                         .choices = {{"ext/backing-format-missing", "raw"}}});
  EXPECT_EQ(data_of(repair, ExtensionType::backing_format), "raw;");
  EXPECT_EQ(repair.fired(), "");
}

TEST(MissingFormat, is_asked_for_where_nobody_says_it) {
  const PlannedRepair repair(kNoFormat, {.only = {"ext/backing-format-missing"}});
  EXPECT_TRUE(repair.plan.empty());
  EXPECT_TRUE(asks_for(repair, "which format does the backing file have?"));
}

constexpr const char* kLongUnknown =
    "image cluster=4K size=1M\n  extension 0x12345678 text=some\n"
    "  set extension 0x12345678 data_length=0xfffffff8\n"
    "  fill at=extension:0x12345678+8 length=3976 with=0x77\n";

TEST(OverrunExtension, whose_end_cannot_be_found_is_given_up_with_consent_only) {
  const PlannedRepair unasked(kLongUnknown, {});
  EXPECT_TRUE(unasked.plan.empty());
  EXPECT_TRUE(asks_for(unasked, "ext/overrun: needs --allow metadata")) << unasked.consent_needed();
  const PlannedRepair asked(kLongUnknown, {.allow_metadata = true});
  EXPECT_EQ(data_of(asked, static_cast<ExtensionType>(0x12345678)), "");
  EXPECT_EQ(asked.fired(), "");
}

TEST(OverrunExtension, is_as_long_as_the_others_behind_it_show) {
  const PlannedRepair repair(
      "image size=1M\n  extension 0x12345678 text=some\n  extension 0x23456789 text=more\n"
      "  set extension 0x12345678 data_length=0xfffffff8\n",
      {});
  EXPECT_EQ(data_of(repair, static_cast<ExtensionType>(0x12345678)), "some;");
  EXPECT_EQ(data_of(repair, static_cast<ExtensionType>(0x23456789)), "more;");
  EXPECT_EQ(repair.fired(), "");
}

constexpr const char* kLuks = "image size=1M crypt=luks\n  luks\n  write 0+64K with=random\n";

TEST(UnexpectedLuks, keeps_its_header_until_the_user_says_what_it_is) {
  const std::string body = std::string(kLuks) + "  set header crypt_method=0\n";
  const PlannedRepair unasked(body, {.allow_metadata = true, .allow_lossy = true});
  EXPECT_FALSE(data_of(unasked, ExtensionType::luks).empty());
  EXPECT_TRUE(asks_for(unasked, "ext/luks-unexpected=set-method or =drop")) << unasked.consent_needed();
  const PlannedRepair encrypted(body, {.choices = {{"ext/luks-unexpected", "set-method"}}});
  EXPECT_EQ(encrypted.header().crypt_method, 2u);
  EXPECT_EQ(encrypted.fired(), "");
}

TEST(FeatureNames, of_no_feature_are_dropped_where_the_user_asks_for_it) {
  const std::string body =
      "image size=1M feature-names\n  set feature-name 0 type=3\n  set feature-name 1 bit=64\n";
  const PlannedRepair repair(body, {.only = {"ext/feature-table-length"}});
  EXPECT_EQ(repair.fired(), "");
  EXPECT_FALSE(data_of(repair, ExtensionType::feature_names).empty());
}

TEST(OrphanFormat, is_dropped_where_the_user_asks_for_it) {
  const std::string body = "image size=1M\n  extension backing-format text=raw\n";
  EXPECT_EQ(data_of(PlannedRepair(body, {}), ExtensionType::backing_format), "raw;");
  const PlannedRepair repair(body, {.only = {"ext/backing-format-orphan"}});
  EXPECT_EQ(data_of(repair, ExtensionType::backing_format), "");
}

TEST(EmptyDataFileName, is_dropped_or_asked_about) {
  const std::string body =
      "image size=1M\n  data-file name=disk.raw\n  write 0+64K\n"
      "  replace-extension data-file-name text=\"\"\n";
  EXPECT_EQ(data_of(PlannedRepair(body, {}), ExtensionType::data_file_name), "");
  const PlannedRepair asked(body, {.choices = {{"ext/data-file-name-empty", "disk.raw"}}});
  EXPECT_TRUE(asked.plan.empty());
  EXPECT_TRUE(asks_for(asked, "ext/data-file-name-empty=drop"));
}

}  // namespace
}  // namespace cowvet
