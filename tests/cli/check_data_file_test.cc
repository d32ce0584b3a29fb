// Which data file is opened, and what is said where none is.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/cli/cli_test_base.h"

namespace cowvet {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class CheckDataFile : public CliTest {
 protected:
  // An image with 1 MiB of data that names its data file `data`.
  void make_with_data_file(const std::string& image, const std::string& data, const std::string& more = "") {
    prepare("qemu-img create -q -f qcow2 -o data_file=" + data + more + " " + image +
            " 16M && qemu-io -c 'write -P 7 0 1M' " + image);
  }
};

TEST_F(CheckDataFile, beside_the_image_is_examined) {
  make_with_data_file("a.qcow2", "a.raw", ",data_file_raw=on");
  const CommandResult result = cowvet("check a.qcow2");
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.out, HasSubstr("a.raw, examined\n"));
  EXPECT_THAT(cowvet("check --no-data a.qcow2").out, HasSubstr("its content NOT EXAMINED"));
}

TEST_F(CheckDataFile, elsewhere_is_followed_only_when_allowed) {
  prepare("mkdir images data");
  make_with_data_file("images/a.qcow2", "$PWD/data/a.raw");
  const CommandResult result = cowvet("check images/a.qcow2");
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.out, HasSubstr("No errors were found on the image, but the data file"));
  EXPECT_THAT(result.out, HasSubstr("Data file: NOT EXAMINED"));
  EXPECT_EQ(cowvet("check --strict images/a.qcow2").status, 1);

  for (const char* option : {"--follow data", "--follow images --follow data", "--data-file data/a.raw"}) {
    const std::string out = cowvet("check " + std::string(option) + " images/a.qcow2").out;
    EXPECT_THAT(out, Not(HasSubstr("NOT EXAMINED"))) << option;
    EXPECT_THAT(out, HasSubstr("data/a.raw")) << option;
  }
}

TEST_F(CheckDataFile, that_is_missing_is_status_1_and_the_metadata_is_examined_all_the_same) {
  make_with_data_file("a.qcow2", "a.raw");
  prepare("rm a.raw");
  const CommandResult result = cowvet("check --output=json a.qcow2");
  EXPECT_EQ(result.status, 1);
  const json document = json::parse(result.out);
  EXPECT_EQ(document["allocated-clusters"], 16);
  EXPECT_EQ(document["data-file"], json::parse(R"({"name": "a.raw", "path": null, "examined": false})"));
  EXPECT_EQ(document["check-errors"], 1);
}

TEST_F(CheckDataFile, that_was_cut_is_found) {
  make_with_data_file("a.qcow2", "a.raw");
  prepare("truncate -s 512K a.raw");
  const CommandResult result = cowvet("check a.qcow2");
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.out, HasSubstr("data-file/short: corruption"));
}

TEST_F(CheckDataFile, of_an_image_that_has_none_is_an_error) {
  make_image("a.qcow2");
  const CommandResult result = cowvet("check --data-file a.qcow2 a.qcow2");
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("a.qcow2 has no external data file"));
}

TEST_F(CheckDataFile, of_two_images_is_found_in_both_and_of_one_image_given_twice_is_not) {
  make_with_data_file("a.qcow2", "shared.raw");
  make_with_data_file("b.qcow2", "shared.raw");
  make_with_data_file("c.qcow2", "other.raw");
  const auto shared_in = [&](const std::string& images) {
    std::istringstream lines(cowvet("check --output=json " + images).out);
    std::string found;
    for (std::string line; std::getline(lines, line);)
      found += line.find("data-file/shared") == std::string::npos ? '-' : 'X';
    return found;
  };
  EXPECT_EQ(shared_in("a.qcow2 c.qcow2 b.qcow2"), "X-X");
  EXPECT_EQ(shared_in("a.qcow2 c.qcow2 a.qcow2"), "---");
  EXPECT_EQ(shared_in("a.qcow2 b.qcow2 a.qcow2"), "XXX");
  EXPECT_EQ(cowvet("check -q a.qcow2 b.qcow2").status, 2);
  EXPECT_THAT(cowvet("check a.qcow2 b.qcow2").out, HasSubstr("data file: b.qcow2 uses the same data file"));
  prepare("ln a.qcow2 same.qcow2");
  EXPECT_EQ(cowvet("check -q a.qcow2 same.qcow2").status, 0);
}

}  // namespace
}  // namespace cowvet
