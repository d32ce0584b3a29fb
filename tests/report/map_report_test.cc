#include "checker/report/map_report.h"

#include <gtest/gtest.h>

namespace cowvet {
namespace {

const std::string kFile = "disk\x1b[1m \"a\".qcow2";

std::string written(MapFormat format) {
  MapWriter writer(format);
  std::string text = writer.begin();
  text += writer.extent({.guest = {0, 65536},
                         .kind = ExtentKind::data,
                         .present = true,
                         .data = true,
                         .host_offset = 327680,
                         .file = &kFile});
  text +=
      writer.extent({.guest = {65536, 131072}, .depth = 1, .kind = ExtentKind::unallocated, .zero = true});
  text += writer.extent(
      {.guest = {196608, 65536}, .kind = ExtentKind::compressed, .present = true, .data = true});
  return text + writer.end();
}

TEST(MapReport, json_has_the_keys_of_qemu_img_map_and_more) {
  EXPECT_EQ(
      written(MapFormat::json),
      R"([{ "start": 0, "length": 65536, "depth": 0, "present": true, "zero": false, "data": true, )"
      R"("compressed": false, "offset": 327680, "kind": "data", "file": "disk\u001b[1m \"a\".qcow2"},)"
      "\n"
      R"({ "start": 65536, "length": 131072, "depth": 1, "present": false, "zero": true, "data": false, )"
      R"("compressed": false, "kind": "unallocated"},)"
      "\n"
      R"({ "start": 196608, "length": 65536, "depth": 0, "present": true, "zero": false, "data": true, )"
      R"("compressed": true, "kind": "compressed"}])"
      "\n");
}

TEST(MapReport, table_for_people_has_an_extent_a_line_and_no_escapes) {
  EXPECT_EQ(written(MapFormat::human),
            "Guest offset        Length              Depth  Kind            Host offset         File\n"
            "0x0                 0x10000             0      data            0x50000             "
            "disk\\x1b[1m \"a\".qcow2\n"
            "0x10000             0x20000             1      unallocated\n"
            "0x30000             0x10000             0      compressed\n");
}

TEST(MapReport, disk_without_any_byte_gives_an_empty_array) {
  const MapWriter writer(MapFormat::json);
  EXPECT_EQ(writer.begin() + writer.end(), "[]\n");
}

std::string clusters_written(MapFormat format) {
  ClusterMapWriter writer(format);
  std::string text = writer.begin();
  text += writer.extent(
      {.offset = 0, .length = 65536, .state = ClusterState::used, .structure = Structure::header});
  text += writer.extent({.offset = 65536,
                         .length = 65536,
                         .state = ClusterState::contested,
                         .structure = Structure::snapshot_l1_table,
                         .owner = "snapshot 1 (\n)"});
  text += writer.extent({.offset = 131072, .length = 65536, .state = ClusterState::free});
  return text + writer.end();
}

TEST(ClusterMapReport, json_says_state_structure_and_owner) {
  EXPECT_EQ(clusters_written(MapFormat::json),
            R"([{ "offset": 0, "length": 65536, "state": "used", "structure": "header"},)"
            "\n"
            R"({ "offset": 65536, "length": 65536, "state": "contested", "structure": "snapshot L1 table", )"
            R"x("owner": "snapshot 1 (\n)"},)x"
            "\n"
            R"({ "offset": 131072, "length": 65536, "state": "free"}])"
            "\n");
}

TEST(ClusterMapReport, table_for_people_escapes_owners) {
  EXPECT_EQ(clusters_written(MapFormat::human),
            "Offset              Length              Use                           Owner\n"
            "0x0                 0x10000             header\n"
            "0x10000             0x10000             contested snapshot L1 table   snapshot 1 (\\n)\n"
            "0x20000             0x10000             free\n");
}

}  // namespace
}  // namespace cowvet
