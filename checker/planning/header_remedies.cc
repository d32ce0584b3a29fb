// Header fields and feature bits that follow from the rest of the image.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "checker/analysis/guest_extents.h"
#include "checker/analysis/passes.h"
#include "checker/format/header.h"
#include "checker/planning/first_cluster.h"
#include "checker/planning/l1_room.h"
#include "checker/planning/round.h"

namespace cowvet {
namespace {

void change_feature_bits(Round& round, const Finding& finding, std::string why, std::uint64_t field,
                         std::uint64_t clear) {
  round.editor.begin(finding.rule, Remedy::safe, std::move(why));
  const auto bits = round.editor.read_number<std::uint64_t>(File::image, field);
  round.editor.write_number(File::image, field, bits & ~clear);
}

void clear_padding(Round& round, const Finding& finding) {
  round.editor.begin(finding.rule, Remedy::safe, "clear the padding");
  round.editor.write(File::image, finding.place.offset, std::vector<std::byte>(finding.place.length));
}

void clear_unknown_autoclear(Round& round, const Finding& finding) {
  // Where the name of the backing file lies on the header, these are no bits but letters.
  if (round.context.findings.added(rule("header/backing-name-overlap")) != 0) return;
  change_feature_bits(round, finding, "clear unknown autoclear bits, as whoever writes must",
                      offsetof(RawHeader, autoclear_features), ~kAutoclearKnown);
}

void clear_bitmaps_bit(Round& round, const Finding& finding) {
  change_feature_bits(round, finding, "clear the bitmaps bit: there are none",
                      offsetof(RawHeader, autoclear_features), kAutoclearBitmaps);
}

void clear_raw_bit(Round& round, const Finding& finding) {
  change_feature_bits(round, finding, "clear the raw bit: there is no data file",
                      offsetof(RawHeader, autoclear_features), kAutoclearRawData);
}

// The dirty bit says that refcounts may be stale. They are right when nothing is found about them.
void clear_dirty(Round& round, const Finding& finding) {
  for (const Finding& other : round.findings)
    if (other.rule->id.starts_with("refcount/") || other.severity == Severity::unchecked) return;
  change_feature_bits(round, finding, "clear the dirty bit: the refcounts are right",
                      offsetof(RawHeader, incompatible_features), kIncompatibleDirty);
}

// Cleared last, and only when nothing else is left.
void clear_corrupt(Round& round, const Finding& finding) {
  for (const Finding& other : round.findings)
    if (other.rule != finding.rule && other.severity != Severity::notice) return;
  change_feature_bits(round, finding, "clear the corrupt bit: nothing is wrong any more",
                      offsetof(RawHeader, incompatible_features), kIncompatibleCorrupt);
}

// Where no extensions show how long the header is, zeros behind the least header are additional fields that
// are not used, or the end of the extensions: which of both makes no difference.
void restore_length(Round& round, const Finding& finding) {
  const Context& context = round.context;
  std::uint64_t length = finding.expected.value_or(0);
  if (length == 0) {
    const std::span<const std::byte> cluster = context.first_cluster;
    const std::uint64_t name = context.header.backing_file_offset;
    const std::uint64_t end =
        name > kHeaderKnownBytes ? std::min<std::uint64_t>(name, cluster.size()) : cluster.size();
    if ((name != 0 && name <= kHeaderKnownBytes) || end < kHeaderKnownBytes + sizeof(RawExtensionHead))
      return;
    const auto rest = cluster.subspan(kCompressionTypeOffset + 1, end - kCompressionTypeOffset - 1);
    if (!std::ranges::all_of(rest, [](std::byte byte) { return byte == std::byte{0}; })) return;
    if (cluster[kCompressionTypeOffset] > std::byte{1}) return;
    length = kHeaderKnownBytes;
  }
  round.editor.begin(finding.rule, Remedy::safe, fmt::format("say that the header has {} bytes", length));
  round.editor.write_number(File::image, offsetof(RawHeader, header_length),
                            static_cast<std::uint32_t>(length));
}

// Whether every compressed cluster, of all snapshots as well, decodes as `type`.
bool decodes_as(const Round& round, CompressionType type) {
  Options options = round.context.options;
  options.deep = true;
  Context apart(round.context.inputs, options, round.context.progress);
  apart.header = round.context.header;
  apart.header.compression_type = static_cast<std::uint8_t>(type);
  apart.header.incompatible_features &= ~kIncompatibleCompression;
  if (type != CompressionType::deflate) apart.header.incompatible_features |= kIncompatibleCompression;
  apart.geometry = round.context.geometry;
  apart.l1_usable = round.context.l1_usable;
  apart.snapshots = round.context.snapshots;
  decode_compressed_clusters(apart);
  return apart.findings.added(rule("l2/compressed-undecodable")) == 0 &&
         apart.findings.total(Severity::unchecked) == 0;
}

void write_compression_type(Round& round, CompressionType type) {
  const std::uint64_t at = offsetof(RawHeader, incompatible_features);
  const auto bits = round.editor.read_number<std::uint64_t>(File::image, at);
  const bool deflate = type == CompressionType::deflate;
  if (!deflate && round.context.header.header_length <= kCompressionTypeOffset) {
    // The field's place is that of the first extension: all of them move.
    auto area = FirstCluster::load(round);
    if (!area) return;
    area->header_length = kHeaderKnownBytes;
    if (!area->write(round)) return;
    round.editor.write(File::image, kCompressionTypeOffset,
                       std::vector<std::byte>(kHeaderKnownBytes - kCompressionTypeOffset));
    round.editor.write_number(File::image, offsetof(RawHeader, header_length), kHeaderKnownBytes);
  }
  round.editor.write_number(File::image, at,
                            deflate ? bits & ~kIncompatibleCompression : bits | kIncompatibleCompression);
  if (!deflate || round.context.header.header_length > kCompressionTypeOffset)
    round.editor.write_number(File::image, kCompressionTypeOffset, static_cast<std::uint8_t>(type));
}

// What the streams are is the truth; bit and field are put right by it.
void settle_compression_type(Round& round, const Finding& finding) {
  const bool deflate = decodes_as(round, CompressionType::deflate);
  if (!deflate && !decodes_as(round, CompressionType::zstd)) {
    round.consent_needed.insert(fmt::format(
        "{}: compressed clusters decode neither all as deflate nor all as zstd", finding.rule->id));
    return;
  }
  round.editor.begin(finding.rule, Remedy::safe,
                     deflate ? "say deflate in bit and field: nothing is compressed otherwise"
                             : "say zstd in bit and field: all compressed clusters decode so");
  write_compression_type(round, deflate ? CompressionType::deflate : CompressionType::zstd);
}

// Of a raw data file, which is all of the disk: the end that it shows, where nothing is mapped behind it.
std::optional<std::uint64_t> end_of_raw_data(const Context& context) {
  constexpr std::uint64_t kSector = 512;
  if (!context.header.is_raw_data() || context.data_file.state != Companion::State::open ||
      context.findings.added(rule("data-file/short")) == 0)
    return std::nullopt;
  const std::uint64_t bytes = divide_up(context.data_file.device->size_bytes(), kSector) * kSector;
  const std::uint64_t mapped = context.header.l1_size * context.geometry.l2_window_bytes;
  if (bytes > mapped) return std::nullopt;
  bool is_end = true;
  ExtentWalker(context, active_disk(context)).walk({bytes, mapped - bytes}, [&](const GuestExtent& extent) {
    is_end = extent.kind == ExtentKind::unallocated;
    return is_end;
  });
  return is_end ? std::optional(bytes) : std::nullopt;
}

void shrink_disk(Round& round, const Finding& finding, Remedy remedy) {
  const auto data = end_of_raw_data(round.context);
  const std::uint64_t bytes =
      data.value_or(round.context.header.l1_size * round.context.geometry.l2_window_bytes);
  // No L1 table is left: nothing would be.
  if (bytes == 0) return;
  Step& step = round.editor.begin(
      finding.rule, remedy,
      fmt::format("let the disk end at {}, where its {} does", bytes, data ? "raw data file" : "L1 table"));
  if (remedy == Remedy::choice) step.outcome = "shrink";
  step.impact.push_back(
      {{bytes, round.context.header.size - bytes}, "", "an error", "behind the end of the disk"});
  // Old snapshots have no size of their own.
  for (const SnapshotRecord& record : round.context.snapshots)
    if (record.snapshot.disk_size(bytes) != record.snapshot.disk_size(round.context.header.size))
      step.impact.push_back({{bytes, round.context.header.size - bytes},
                             record.owner(),
                             "an error, or nothing is mapped",
                             "behind the end of the disk"});
  round.editor.write_number(File::image, offsetof(RawHeader, size), bytes);
}

// Why it is the size that must be wrong, and not the length of the L1 table; empty: nothing says so.
std::string_view why_size_is_wrong(const Context& context, std::uint64_t needed) {
  if (needed > kMostL1Entries) return "no L1 table maps so much";
  if (end_of_raw_data(context)) return "the raw data file ends before it as well";
  const std::uint64_t bitmaps = context.bitmaps.size();
  if (bitmaps != 0 && context.findings.added(rule("bitmap/table-size")) == bitmaps)
    return "the tables of the bitmaps are too short for it as well";
  return "";
}

void grow_l1_table(Round& round, const Finding& finding) {
  const Context& context = round.context;
  const std::uint64_t needed = finding.expected.value_or(0);
  const std::string chosen = round.chosen(finding.rule, "");
  if (chosen == "shrink") return shrink_disk(round, finding, Remedy::choice);
  const std::string_view wrong = why_size_is_wrong(context, needed);
  if (!wrong.empty() && (needed > kMostL1Entries || chosen != "grow")) {
    if (round.options.allow_lossy && context.l1_usable) return shrink_disk(round, finding, Remedy::lossy);
    round.consent_needed.insert(fmt::format(
        "{}: a size of {} bytes must be wrong: {}; needs --choose {}=shrink, or --allow lossy, to "
        "let the disk end where its L1 table does{}",
        finding.rule->id, context.header.size, wrong, finding.rule->id,
        needed > kMostL1Entries ? "" : "; or =grow, where the size is right"));
    return;
  }
  if (!context.l1_usable) return;
  const auto offset =
      make_room_for_l1(round, finding.rule, context.header.l1_table_offset, context.header.l1_size, needed);
  if (!offset) return;
  Step& step = round.editor.begin(
      finding.rule, Remedy::safe,
      fmt::format("say that the L1 table has {} entries, as many as the disk needs", needed));
  const std::uint64_t mapped = context.header.l1_size * context.geometry.l2_window_bytes;
  step.impact.push_back(
      {{mapped, context.header.size - mapped}, "", "an error", "nothing, or what lost L2 tables map"});
  round.editor.write_number(File::image, offsetof(RawHeader, l1_table_offset), *offset);
  round.editor.write_number(File::image, offsetof(RawHeader, l1_size), static_cast<std::uint32_t>(needed));
}

// Whether the guest sees nothing of a backing file.
bool is_wholly_allocated(const Context& context) {
  bool whole = true;
  ExtentWalker(context, active_disk(context)).walk({0, context.header.size}, [&](const GuestExtent& extent) {
    whole = extent.kind != ExtentKind::unallocated && extent.kind != ExtentKind::invalid &&
            extent.kind != ExtentKind::unreadable;
    return whole;
  });
  return whole;
}

// Where the guest reads from the backing file, if it can be opened.
void add_backing_ranges(const Context& context, const char* before, const char* after, Step& step) {
  constexpr std::size_t kMost = 1000;
  const auto add = [&](GuestRange range) { step.impact.push_back({range, "", before, after}); };
  ExtentWalker(context, active_disk(context)).walk({0, context.header.size}, [&](const GuestExtent& extent) {
    if (extent.kind == ExtentKind::unallocated) add(extent.guest);
    return step.impact.size() < kMost;
  });
  if (step.impact.size() < kMost) return;
  step.impact.clear();
  add({0, context.header.size});
}

// What all disk states read of the backing file.
void add_lost_backing(const Context& context, Step& step) {
  add_backing_ranges(context, "what the backing file holds", "zeros", step);
  for (const SnapshotRecord& snapshot : context.snapshots)
    step.impact.push_back({{0, snapshot.snapshot.disk_size(context.header.size)},
                           snapshot.owner(),
                           "what the backing file holds, where nothing is allocated",
                           "zeros there"});
}

void drop_backing_name(Round& round, const Finding& finding) {
  const bool is_seen = !is_wholly_allocated(round.context) || !round.context.snapshots.empty();
  if (is_seen && !round.options.allow_lossy) {
    round.consent_needed.insert(
        fmt::format("{}: the guest reads the backing file; to drop it all the same needs --allow lossy",
                    finding.rule->id));
    return;
  }
  Step& step = round.editor.begin(finding.rule, is_seen ? Remedy::lossy : Remedy::choice,
                                  is_seen ? "drop the backing file: what the guest reads of it is lost"
                                          : "drop the backing file, of which the guest sees nothing");
  step.outcome = "drop-backing";
  if (is_seen) add_lost_backing(round.context, step);
  round.editor.write_number(File::image, offsetof(RawHeader, backing_file_offset), std::uint64_t{0});
  round.editor.write_number(File::image, offsetof(RawHeader, backing_file_size), std::uint32_t{0});
}

// The only text behind the extensions is the name, if one of the two fields says the same: the other is
// wrong.
void restore_backing_name(Round& round, const Finding& finding) {
  const Header& header = round.context.header;
  if (round.chosen(finding.rule, "restore") == "drop-backing") return drop_backing_name(round, finding);
  const auto area = FirstCluster::load(round);
  if (area && header.backing_file_size == 0 && area->holds_no_backing_name()) {
    round.editor.begin(finding.rule, Remedy::safe, "clear the place of a backing file name: there is none");
    round.editor.write_number(File::image, offsetof(RawHeader, backing_file_offset), std::uint64_t{0});
    return;
  }
  const auto name = area ? area->find_backing_name() : std::nullopt;
  const bool agrees =
      name && (name->offset == header.backing_file_offset || name->length == header.backing_file_size);
  if (!agrees || round.chosen(finding.rule, "restore") != "restore") {
    round.consent_needed.insert(
        fmt::format("{}: the name cannot be found for certain; needs --choose {}=drop-backing, if the guest "
                    "sees nothing of the backing file",
                    finding.rule->id, finding.rule->id));
    return;
  }
  Step& step =
      round.editor.begin(finding.rule, Remedy::choice,
                         fmt::format("name the backing file {:?}, the only text behind the extensions",
                                     area->text_at(name->offset, name->length)));
  step.outcome = "restore";
  add_backing_ranges(round.context, "an error, or zeros", "the backing file's content", step);
  round.editor.write_number(File::image, offsetof(RawHeader, backing_file_offset), name->offset);
  round.editor.write_number(File::image, offsetof(RawHeader, backing_file_size),
                            static_cast<std::uint32_t>(name->length));
}

constexpr RemedyRow kRows[] = {
    {rule("header/length"), Stage::header, restore_length},
    {rule("header/compression-type"), Stage::auxiliary, settle_compression_type},
    {rule("header/size-beyond-l1"), Stage::header, grow_l1_table},
    {rule("header/backing-name-outside"), Stage::header, restore_backing_name},
    {rule("header/backing-name-too-long"), Stage::header, restore_backing_name},
    {rule("header/backing-name-overlap"), Stage::header, restore_backing_name},
    {rule("header/backing-name-empty"), Stage::header, restore_backing_name},
    {rule("header/padding"), Stage::header, clear_padding},
    {rule("header/unknown-autoclear"), Stage::header, clear_unknown_autoclear},
    {rule("ext/bitmaps-missing"), Stage::header, clear_bitmaps_bit},
    {rule("data-file/raw-without-bit"), Stage::header, clear_raw_bit},
    {rule("header/dirty"), Stage::flags, clear_dirty},
    {rule("header/corrupt"), Stage::flags, clear_corrupt},
};

}  // namespace

std::span<const RemedyRow> header_remedies() {
  return kRows;
}

}  // namespace cowvet
