// What the passes share: the image as it presents itself, and what is known of it so far. Each pass reads
// what earlier ones filled in; analyze.cc says which invariant holds from where on.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "checker/analysis/analyze.h"
#include "checker/analysis/cluster_set.h"
#include "checker/analysis/failed_reads.h"
#include "checker/analysis/findings.h"
#include "checker/format/bitmap.h"
#include "checker/format/extensions.h"
#include "checker/format/header.h"
#include "checker/format/snapshot.h"

namespace cowvet {

class References;
struct RefcountTable;
struct Tables;

// A stretch of the image file that metadata claims, in bytes; its clusters are what it touches.
struct Area {
  Structure structure = Structure::none;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::string owner;  // as Place::owner
};

struct SnapshotRecord {
  Snapshot snapshot;
  std::uint64_t entry_offset = 0;  // of its entry in the image, bytes
  bool l1_usable = false;          // aligned, inside the file
  std::string owner() const;       // "snapshot ID (NAME)"
};

struct BitmapRecord {
  Bitmap bitmap;
  std::uint64_t entry_offset = 0;
  bool table_usable = false;
  std::string owner() const;  // "bitmap NAME"
};

// Sizes that follow from the header. Valid once load_header has said that the header is usable.
struct Geometry {
  unsigned cluster_bits = 16;
  std::uint64_t cluster_bytes = 65536;
  std::uint64_t file_bytes = 0;
  std::uint64_t file_clusters = 0;    // the last may be half past the end
  unsigned l2_entry_bytes = 8;        // 16 with extended L2 entries
  std::uint64_t l2_entries = 8192;    // in one L2 table
  std::uint64_t l2_window_bytes = 0;  // guest bytes that one L2 table maps
  std::uint64_t guest_clusters = 0;   // of the virtual disk, the last one rounded up
  unsigned refcount_order = 4;
};

struct Context {
  Context(const Inputs& in, const Options& opt, Progress& prog)
      : inputs(in),
        watched_image(File::image, in.image, failed_reads),
        image(watched_image),
        options(opt),
        progress(prog),
        findings(opt.findings_per_rule) {}

  const Inputs& inputs;
  FailedReads failed_reads;
  const WatchedDevice watched_image;
  const Device& image;
  const Options& options;
  Progress& progress;
  Findings findings;
  Report report;

  // From load_header.
  Header header;
  Geometry geometry;
  std::vector<std::byte> first_cluster;  // shorter where the file is
  bool l1_usable = false;                // header.l1_table_offset may be followed
  bool refcount_table_usable = false;
  bool snapshots_usable = false;

  // From load_extensions. The extensions point into first_cluster.
  ExtensionWalk extensions;
  std::optional<std::pair<std::uint64_t, std::uint64_t>> bitmap_directory;  // offset, bytes; usable only
  std::uint32_t bitmap_count = 0;
  bool bitmaps_stale = false;  // bitmap_directory is there, but what it points at may be anything by now
  std::optional<std::pair<std::uint64_t, std::uint64_t>> luks_area;  // offset, bytes; usable only
  Companion data_file;

  // From load_snapshots and load_bitmaps.
  std::vector<SnapshotRecord> snapshots;
  std::vector<BitmapRecord> bitmaps;

  // Every piece of metadata but L2 tables and refcount blocks, which have passes of their own.
  std::vector<Area> areas;

  // Where stale bitmaps lie, if what they point at still looks like bitmaps: disjoint, inside the file.
  // Nobody owns these clusters, but where one is leaked, it is known not to be the guest's.
  std::vector<Area> stale_areas;

  // Set by who plans a repair, before the passes run: what the plan gave up on purpose. As above.
  ClusterSet released;

  // Something that may hold references could not be read or believed: then nothing may be called a leak.
  // Says what, for people.
  std::vector<std::string> unknown_references;
  // The same where reading is what failed: the image may be sound, and what is missing says nothing.
  bool references_unread() const {
    return !unknown_references.empty() && findings.added(rule("file/unreadable")) != 0;
  }

  // From check_references: what is referenced (only where `keep_references` was set before, and then whatever
  // memory it takes), the refcount table and the L2 tables.
  bool keep_references = false;
  std::shared_ptr<References> references;
  std::shared_ptr<RefcountTable> refcounts;
  std::shared_ptr<Tables> tables;
  // From check_references: COPIED of some entry disagrees with a refcount. Who is only about to change
  // refcounts need not know which (Options::name_copied).
  bool copied_wrong = false;

  // The same: an L2 table holds nothing but zeros, and may have been wiped.
  bool has_empty_l2_table = false;

  // The same: clusters that were reported as lost data (refcount/orphan-mapping).
  ClusterSet orphans;

  // The same: leaked clusters that a former repair kept, and that are as they were then.
  ClusterSet kept;

  // From check_first_cluster: data-file/zero-offset was reported.
  bool lost_first_cluster = false;

  bool in_file(std::uint64_t offset, std::uint64_t length) const {
    return fits_in(offset, length, geometry.file_bytes);
  }
  // Whether every cluster that [offset, offset + length) touches begins before the end of the file.
  bool clusters_in_file(std::uint64_t offset, std::uint64_t length) const {
    return length == 0 ? offset <= geometry.file_bytes
                       : offset + length > offset &&
                             (offset + length - 1) >> geometry.cluster_bits < geometry.file_clusters;
  }
  bool aligned(std::uint64_t offset) const { return (offset & (geometry.cluster_bytes - 1)) == 0; }

  // Reads or reports file/unreadable, naming the structure; false: `out` is unspecified.
  bool read(const Device& device, std::uint64_t offset, std::span<std::byte> out, const Place& place);
  // The same in pieces of 4 KiB: those that cannot be read are reported and count as zeros. Returns how many
  // bytes there are before the first such piece: all, or less than asked for.
  std::uint64_t read_in_pieces(const Device& device, std::uint64_t offset, std::span<std::byte> out,
                               const Place& place);
  void report_unreadable(const IoError& error, Place place);
};

}  // namespace cowvet
