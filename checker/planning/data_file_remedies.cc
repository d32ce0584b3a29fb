// External data files. Host offset equals guest offset, so where a cluster belongs is never in doubt; what
// may be in doubt is which of two contents is the right one. Outcomes are named, and the default is the one
// that keeps what the guest reads today.
#include <fmt/format.h>

#include <algorithm>

#include "checker/analysis/decompress.h"
#include "checker/analysis/guest_extents.h"
#include "checker/analysis/table_reader.h"
#include "checker/format/entries.h"
#include "checker/format/header.h"
#include "checker/planning/round.h"

namespace cowvet {
namespace {

std::uint64_t entry_bytes(const Round& round) {
  return round.context.geometry.l2_entry_bytes;
}

void clear_raw(Round& round, const Finding& finding) {
  const auto bits =
      round.editor.read_number<std::uint64_t>(File::image, offsetof(RawHeader, autoclear_features));
  if ((bits & kAutoclearRawData) == 0) return;  // an earlier finding has settled it
  Step& step =
      round.editor.begin(finding.rule, Remedy::choice,
                         "clear the raw bit: the guest reads what it read, the data file alone is no disk");
  step.outcome = "clear-raw";
  round.editor.write_number(File::image, offsetof(RawHeader, autoclear_features), bits & ~kAutoclearRawData);
}

void set_copied(Round& round, const Finding& finding) {
  round.editor.begin(finding.rule, Remedy::safe, "set COPIED, which every allocated cluster has").count =
      finding.count;
  for (std::uint64_t i = 0; i < finding.count; ++i) {
    const std::uint64_t at = finding.place.offset + i * entry_bytes(round);
    round.editor.write_number(File::image, at,
                              round.editor.read_number<std::uint64_t>(File::image, at) | kCopied);
  }
}

// Without the raw promise an entry of zeros is legal, and what the data file has there may be old.
void restore_first_cluster(Round& round, const Finding& finding) {
  const bool is_promised = finding.severity == Severity::corruption;
  if (!is_promised && round.chosen(finding.rule, "keep") != "map") return;
  Step& step = round.editor.begin(finding.rule, is_promised ? Remedy::safe : Remedy::choice,
                                  "set COPIED again: the data file has this cluster");
  if (!is_promised) step.outcome = "map";
  step.impact.push_back({*finding.place.guest, "", "zeros, or an error", "the data file's content"});
  round.editor.write_number(File::image, finding.place.offset, *finding.expected);
}

// The clusters of the data file that entries name which are wrong: clusters of others, not places inside of
// their own.
ClusterSet claimed_by_wrong_entries(Round& round) {
  const unsigned bits = round.context.geometry.cluster_bits;
  ClusterSet claimed;
  for (const Finding* wrong : round.of_rule(rule("data-file/offset-mismatch"))) {
    const std::uint64_t own = wrong->place.guest->offset >> bits;  // cluster of the first entry
    for_each_l2_entry(round.context, wrong->place.offset, wrong->count,
                      [&](std::uint64_t i, std::uint64_t raw) {
                        const std::uint64_t named = (raw & kOffsetMask) >> bits;
                        if (named != own + i) claimed.add(named);
                      });
  }
  return claimed;
}

// Whether another entry that is just as wrong names a cluster of the guest range: then nobody knows whose
// data is there.
bool is_claimed_by_another(Round& round, const GuestRange& range) {
  if (!round.claimed_in_data_file) round.claimed_in_data_file = claimed_by_wrong_entries(round);
  const unsigned bits = round.context.geometry.cluster_bits;
  for (std::uint64_t at = range.offset; at < range.offset + range.length; at += std::uint64_t{1} << bits)
    if (round.claimed_in_data_file->contains(at >> bits)) return true;
  return false;
}

// The data file's cluster at `from` to where it belongs: as it was before another one was moved there.
bool move_cluster(Round& round, std::uint64_t from, std::uint64_t to) {
  const std::uint64_t end = std::max(round.context.header.size, to);
  std::vector<std::byte> content(std::min(round.context.geometry.cluster_bytes, end - to));
  if (!round.editor.data_file() || !round.editor.data_file()->below().read(from, content)) return false;
  round.editor.copy_original(File::data_file, from, to, content.size());
  return true;
}

void correct_offsets(Round& round, const Finding& finding) {
  const Geometry& geometry = round.context.geometry;
  const std::uint64_t guest = finding.place.guest->offset;
  const bool undisputed =
      round.context.header.is_raw_data() || !is_claimed_by_another(round, *finding.place.guest);
  const std::string outcome = round.chosen(finding.rule, undisputed ? "guest-offset" : "");
  if (outcome != "guest-offset" && outcome != "move-data" && outcome != "zero") {
    round.consent_needed.insert(
        fmt::format("{}: two entries claim one range of the data file; needs --choose "
                    "{}=guest-offset, =move-data or =zero",
                    finding.rule->id, finding.rule->id));
    return;
  }
  if (outcome == "zero" && !round.may(finding, Remedy::lossy)) return;
  Step& step =
      round.editor.begin(finding.rule, Remedy::choice, fmt::format("settle wrong host offsets: {}", outcome));
  step.outcome = outcome;
  step.count = finding.count;
  step.impact.push_back({*finding.place.guest, finding.place.owner, "an error",
                         outcome == "zero" ? "zeros" : "the data file's content"});
  for (std::uint64_t i = 0; i < finding.count; ++i) {
    const std::uint64_t at = finding.place.offset + i * geometry.l2_entry_bytes;
    const std::uint64_t to = guest + i * geometry.cluster_bytes;
    const auto raw = round.editor.read_number<std::uint64_t>(File::image, at);
    if (outcome == "move-data" && !move_cluster(round, raw & kOffsetMask, to)) continue;
    const bool extended = round.context.header.has_extended_l2();
    if (outcome == "zero" && extended)
      round.editor.write_number(File::image, at + 8, std::uint64_t{0xffffffff} << 32);
    const std::uint64_t zero = extended ? 0 : L2Entry::kZero;
    round.editor.write_number(File::image, at,
                              outcome == "zero" ? zero : to | kCopied | (raw & L2Entry::kZero));
  }
}

// The stream lies in the image file; decoded, it goes where the guest would have written it.
void unpack_cluster(Round& round, const Finding& finding, std::uint64_t index) {
  const Context& context = round.context;
  const Geometry& geometry = context.geometry;
  const std::uint64_t at = finding.place.offset + index * geometry.l2_entry_bytes;
  const std::uint64_t guest = finding.place.guest->offset + index * geometry.cluster_bytes;
  const L2Entry entry{round.editor.read_number<std::uint64_t>(File::image, at)};
  const CompressedDescriptor descriptor = decode_compressed(entry, geometry.cluster_bits);
  std::vector<std::byte> stream(descriptor.end() - descriptor.offset);
  std::vector<std::byte> cluster(geometry.cluster_bytes);
  const bool decoded =
      descriptor.offset < geometry.file_bytes && round.editor.image().read(descriptor.offset, stream) &&
      Decompressor(static_cast<CompressionType>(context.header.compression_type)).decode(stream, cluster);
  if (!decoded) {
    if (!round.may(finding, Remedy::lossy)) return;
    Step& step =
        round.editor.begin(finding.rule, Remedy::lossy, "give up a compressed cluster that does not decode");
    step.impact.push_back({{guest, geometry.cluster_bytes}, finding.place.owner, "an error", "zeros"});
    const bool extended = context.header.has_extended_l2();
    if (extended) round.editor.write_number(File::image, at + 8, std::uint64_t{0xffffffff} << 32);
    round.editor.write_number(File::image, at, extended ? 0 : L2Entry::kZero);
    return;
  }
  cluster.resize(std::min(geometry.cluster_bytes, std::max(context.header.size, guest) - guest));
  round.editor.begin(finding.rule, Remedy::safe,
                     fmt::format("write the decoded cluster to the data file at {:#x}", guest),
                     Phase::structures);
  round.editor.write(File::data_file, guest, cluster);
  Step& step = round.editor.begin(finding.rule, Remedy::safe, "map the decoded cluster");
  step.impact.push_back(
      {{guest, geometry.cluster_bytes}, finding.place.owner, "an error", "the decoded data"});
  if (context.header.has_extended_l2())
    round.editor.write_number(File::image, at + 8, std::uint64_t{0xffffffff});
  round.editor.write_number(File::image, at, guest | kCopied);
}

void unpack_clusters(Round& round, const Finding& finding) {
  if (!round.editor.data_file() || !finding.place.owner.empty()) return;
  for (std::uint64_t i = 0; i < finding.count; ++i) unpack_cluster(round, finding, i);
}

void drop_snapshots(Round& round, const Finding& finding) {
  if (!round.may(finding, Remedy::metadata)) return;
  round.editor.begin(finding.rule, Remedy::metadata,
                     "drop all snapshots: their data is not in the data file");
  round.editor.write_number(File::image, offsetof(RawHeader, nb_snapshots), std::uint32_t{0});
  round.editor.write_number(File::image, offsetof(RawHeader, snapshots_offset), std::uint64_t{0});
}

// The last byte is written, so that the length is part of the plan.
void lengthen_data_file(Round& round, const Finding& finding) {
  if (!round.editor.data_file() || !finding.expected || *finding.expected == 0) return;
  if (round.editor.data_file()->is_block_device()) return;
  if (round.context.findings.added(rule("header/size-beyond-l1")) != 0) return;  // the size is in doubt
  round.editor.begin(finding.rule, Remedy::safe,
                     fmt::format("make the data file {} bytes long, by a hole", *finding.expected));
  round.editor.write(File::data_file, *finding.expected - 1, std::vector<std::byte>(1));
}

bool is_wholly_allocated(const Context& context) {
  bool whole = true;
  ExtentWalker walker(context, active_disk(context));
  walker.walk({0, context.header.size}, [&whole](const GuestExtent& extent) {
    whole = extent.kind != ExtentKind::unallocated && extent.kind != ExtentKind::invalid;
    return whole;
  });
  return whole;
}

void settle_backing(Round& round, const Finding& finding) {
  const std::string outcome = round.chosen(finding.rule, "clear-raw");
  if (outcome == "clear-raw") clear_raw(round, finding);
  if (outcome != "drop-backing" || !is_wholly_allocated(round.context)) return;
  round.editor.begin(finding.rule, Remedy::choice, "drop the backing file, of which the guest sees nothing")
      .outcome = outcome;
  round.editor.write_number(File::image, offsetof(RawHeader, backing_file_offset), std::uint64_t{0});
  round.editor.write_number(File::image, offsetof(RawHeader, backing_file_size), std::uint32_t{0});
}

// The L2 table of a guest range: the one that is there, or a new one. None: no room, or not to be trusted.
std::optional<std::uint64_t> table_for(Round& round, const Finding& finding, std::uint64_t l1_index) {
  const Context& context = round.context;
  if (!context.l1_usable || l1_index >= context.header.l1_size) return std::nullopt;
  const std::uint64_t at = context.header.l1_table_offset + l1_index * 8;
  const L1Entry entry{round.editor.read_number<std::uint64_t>(File::image, at)};
  if (entry.l2_offset() != 0)
    return context.aligned(entry.l2_offset()) ? std::optional(entry.l2_offset()) : std::nullopt;
  const auto offset = round.allocator.allocate();
  if (!offset) return std::nullopt;
  round.editor.begin(finding.rule, Remedy::choice, fmt::format("write a new L2 table at {:#x}", *offset),
                     Phase::structures);
  round.editor.write(File::image, *offset, std::vector<std::byte>(context.geometry.cluster_bytes));
  round.editor.begin(finding.rule, Remedy::choice, "name the new L2 table").outcome = "trust-raw";
  round.editor.write_number(File::image, at, *offset | kCopied);
  return offset;
}

void map_one_to_one(Round& round, const Finding& finding) {
  const Geometry& geometry = round.context.geometry;
  const std::uint64_t first = finding.place.guest->offset / geometry.cluster_bytes;
  for (std::uint64_t cluster = first; cluster != first + finding.count; ++cluster) {
    const auto table = table_for(round, finding, cluster / geometry.l2_entries);
    if (!table) return;
    const std::uint64_t at = *table + cluster % geometry.l2_entries * geometry.l2_entry_bytes;
    Step& step =
        round.editor.begin(finding.rule, Remedy::choice, "map a cluster of the data file one to one");
    step.outcome = "trust-raw";
    step.impact.push_back(
        {{cluster * geometry.cluster_bytes, geometry.cluster_bytes}, "", "zeros", "the data file's content"});
    round.editor.write_number(File::image, at, cluster * geometry.cluster_bytes | kCopied);
    if (round.context.header.has_extended_l2())
      round.editor.write_number(File::image, at + 8, std::uint64_t{0xffffffff});
  }
}

void zero_data_file(Round& round, const Finding& finding) {
  if (!round.editor.data_file()) return;
  constexpr std::uint64_t kPiece = 1 << 20;
  round.editor.begin(finding.rule, Remedy::choice, "let the data file read as zeros, as the metadata says")
      .outcome = "trust-metadata";
  const std::uint64_t end =
      std::min(finding.place.offset + finding.place.length, round.editor.data_file()->size_bytes());
  for (std::uint64_t at = finding.place.offset; at < end; at += kPiece)
    round.editor.write(File::data_file, at, std::vector<std::byte>(std::min(kPiece, end - at)));
}

void settle_raw_promise(Round& round, const Finding& finding) {
  const std::string outcome = round.chosen(finding.rule, "clear-raw");
  if (outcome == "clear-raw") clear_raw(round, finding);
  if (outcome == "trust-raw") map_one_to_one(round, finding);
  if (outcome == "trust-metadata") zero_data_file(round, finding);
}

constexpr RemedyRow kRows[] = {
    {rule("data-file/snapshots"), Stage::header, drop_snapshots},
    {rule("data-file/raw-with-backing"), Stage::header, settle_backing},
    {rule("data-file/offset-mismatch"), Stage::entries, correct_offsets},
    {rule("data-file/not-copied"), Stage::entries, set_copied},
    {rule("data-file/zero-offset"), Stage::entries, restore_first_cluster},
    {rule("data-file/compressed"), Stage::entries, unpack_clusters},
    {rule("data-file/short"), Stage::entries, lengthen_data_file},
    {rule("data-file/raw-unmapped"), Stage::auxiliary, settle_raw_promise},
    {rule("data-file/raw-zero-differs"), Stage::auxiliary, settle_raw_promise},
};

}  // namespace

std::span<const RemedyRow> data_file_remedies() {
  return kRows;
}

}  // namespace cowvet
