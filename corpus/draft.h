// An image in the making, shared by the stages of the builder.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "corpus/build.h"

namespace cowvet::corpus {

struct Draft {
  Draft(const Recipe& of, std::uint64_t refcount_table_clusters)
      : recipe(of),
        layout(of.image, refcount_table_clusters),
        disk(layout.shape.unit_bytes, of.backing ? of.backing->size_bytes.value_or(0) : 0,
             of.backing ? of.backing->pattern : Pattern{}) {}

  const Recipe& recipe;
  Layout layout;
  std::uint64_t disk_bytes = recipe.image.size_bytes;
  std::vector<std::byte> image;
  std::vector<std::byte> data_file;
  GuestDisk disk;
  std::map<std::string, GuestDisk> snapshot_disks;
  std::vector<AddBitmap> bitmaps;
  std::vector<AddTrailing> trailing;
  std::vector<UnreadableRange> unreadable;
  std::uint64_t compressed_end = 0;  // where the next compressed stream may begin; 0: in a new cluster

  FirstError error;
  Where where;       // the statement at work
  std::string verb;  // its first word
  void fail(std::string message) { error.add(where, verb, std::move(message)); }

  bool has_data_file() const { return recipe.data_file.has_value(); }
};

// Writes at `offset`, growing the file as far as needed.
void put_bytes(std::vector<std::byte>& file, std::uint64_t offset, std::span<const std::byte> bytes);
void put_number(std::vector<std::byte>& file, std::uint64_t offset, std::uint64_t value);  // 8 bytes

// Whether the builder, which keeps everything in memory, can take a guest range; else an error.
bool fits_in_memory(Draft& draft, GuestRange range);

// ---- Stages, each in the file of its name

// write_data.cc: guest content in standard clusters.
void write_data(Draft& draft, GuestRange range, const Pattern& pattern);
void write_zeros(Draft& draft, const WriteZeros& step);
void discard(Draft& draft, GuestRange range);

// write_compressed.cc
void write_compressed(Draft& draft, const WriteCompressed& step);

// take_snapshot.cc
void take_snapshot(Draft& draft, const TakeSnapshot& step);
void delete_snapshot(Draft& draft, const std::string& id);
void revert_to_snapshot(Draft& draft, const std::string& id);
void write_snapshot_table(Draft& draft);

// resize_disk.cc
void place_l1(Draft& draft);
void resize_disk(Draft& draft, std::uint64_t bytes);

// write_bitmaps.cc
void write_bitmaps(Draft& draft);

// write_luks.cc
void write_luks(Draft& draft);

// write_header.cc
void write_header(Draft& draft);
// Places the extensions and the backing file name behind the header, as far as the first cluster reaches.
void write_extensions(Draft& draft);

// write_tables.cc: L1, L2, refcount table and blocks, once all references are known.
void write_tables(Draft& draft);

// apply_damage.cc, set_fields.cc
inline constexpr std::uint64_t kMostDamagedBytes = std::uint64_t{2} << 30;
void apply_damage(Draft& draft);
void set_fields(Draft& draft, const SetFields& set);
// What the expression means in `file`; nothing, and an error, where the image has no such place.
std::optional<std::uint64_t> resolve_in(Draft& draft, const std::vector<std::byte>& file,
                                        const Expression& expression);
void patch_bytes(Draft& draft, std::vector<std::byte>& file, std::uint64_t at,
                 std::span<const std::byte> bytes);

// ---- map_cluster.cc: the mapping of the active disk

// The entry of a guest cluster in a table that only the active disk uses; made or copied where needed.
// nullptr, and an error, beyond the L1 table.
MappedCluster* writable_cluster(Draft& draft, std::uint64_t guest);
// Gives up what an entry refers to.
void release_cluster(Draft& draft, const MappedCluster& cluster);
// Adds or gives up one reference of everything that an L1 table leads to.
void retain_l1(Draft& draft, const L1Layout& l1);
void release_l1(Draft& draft, const L1Layout& l1);
// Whether the entry has a host cluster of its own that may be written in place.
bool owns_cluster(const Draft& draft, const MappedCluster& cluster);

}  // namespace cowvet::corpus
