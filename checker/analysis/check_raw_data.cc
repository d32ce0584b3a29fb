// "If this bit is set, the external data file can be read as a consistent standalone raw image without
// looking at the qcow2 metadata" (specification, autoclear bit 1). Where the metadata has data, both are the
// same bytes. Where it says zeros, or has nothing (no backing file is allowed), the data file must read as
// zeros.
//
// The pass is led by the data file: its holes are known to be zeros, so that only stretches of data are
// looked up in the metadata, and only those that the metadata calls zeros are read. Work follows what is
// really in the two files, whatever size the header claims.
//
// Threads take aligned pieces of the guest's disk from one cursor. A finding is a run of neighbouring
// clusters; runs that end at the edge of a piece are joined with their neighbours when all pieces are done,
// so that the findings do not depend on who looked at which piece.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "checker/analysis/bytes.h"
#include "checker/analysis/guest_extents.h"
#include "checker/analysis/parallel.h"
#include "checker/analysis/passes.h"

namespace cowvet {
namespace {

constexpr std::uint64_t kPieceBytes = 64 << 20;  // a multiple of every cluster size
constexpr std::uint64_t kReadBytes = 1 << 20;

enum Promise { kReadsAsZeros, kNotMapped, kPromises };

// Neighbouring clusters that break one promise.
struct Run {
  std::uint64_t first_cluster = 0;
  std::uint64_t last_cluster = 0;
  GuestRange bytes;              // whole clusters, or subclusters at either end
  std::uint64_t first_byte = 0;  // that is not zero
};

class RawComparison {
 public:
  explicit RawComparison(Context& context)
      : context_(context),
        data_file_(*context.data_file.device),
        disk_(active_disk(context)),
        end_(std::min(disk_.disk_bytes, data_file_.size_bytes())),
        unit_bytes_(context.geometry.cluster_bytes /
                    (context.header.has_extended_l2() ? SubclusterBitmap::kSubclusters : 1)) {}

  void run();

 private:
  class Worker;

  // The next piece that has any data, cut to where it begins.
  std::optional<GuestRange> next_piece();
  void join_edges();
  void report(Promise promise, const Run& run);

  Context& context_;
  const Device& data_file_;
  DiskState disk_;
  std::uint64_t end_;         // nothing to compare behind it
  std::uint64_t unit_bytes_;  // what the metadata tells apart: clusters or subclusters

  std::mutex mutex_;  // for what follows
  std::uint64_t cursor_ = 0;
  std::array<std::vector<Run>, kPromises> edges_;  // runs that may go on in the next piece
};

// One thread's share.
class RawComparison::Worker {
 public:
  explicit Worker(RawComparison& all) : all_(all), walker_(all.context_, all.disk_), buffer_(kReadBytes) {}

  void run() {
    while (const auto piece = all_.next_piece()) compare_piece(*piece);
  }

 private:
  void compare_piece(GuestRange piece);
  void compare_range(Promise promise, std::uint64_t begin, std::uint64_t end);
  void compare_bytes(Promise promise, std::span<const std::byte> bytes, std::uint64_t at);
  // Notes that the unit which holds guest byte `at` breaks the promise; returns its end.
  std::uint64_t note(Promise promise, std::uint64_t at);
  void finish(Promise promise);

  RawComparison& all_;
  ExtentWalker walker_;
  std::vector<std::byte> buffer_;
  GuestRange piece_;
  std::array<std::optional<Run>, kPromises> open_;
};

void RawComparison::run() {
  context_.progress.begin("check_raw_data", end_);
  const unsigned threads = thread_count(context_.options.threads, divide_up(end_, kPieceBytes));
  parallel_for(threads, threads, [this](std::uint64_t, unsigned) { Worker(*this).run(); });
  join_edges();
}

std::optional<GuestRange> RawComparison::next_piece() {
  const std::scoped_lock lock(mutex_);
  const std::uint64_t from = cursor_;
  const std::uint64_t begin = from < end_ ? std::min(data_file_.next_data(from).begin, end_) : end_;
  const std::uint64_t piece_end = begin - begin % kPieceBytes + kPieceBytes;
  cursor_ = piece_end < begin ? end_ : std::min(piece_end, end_);
  context_.progress.advance(cursor_ - from);
  if (begin >= end_) return std::nullopt;
  return GuestRange{begin, cursor_ - begin};
}

void RawComparison::Worker::compare_piece(GuestRange piece) {
  piece_ = piece;
  const std::uint64_t end = piece.offset + piece.length;
  for (std::uint64_t at = piece.offset; at < end;) {
    const DataExtent data = all_.data_file_.next_data(at);
    const std::uint64_t data_begin = std::clamp(data.begin, at, end);
    const std::uint64_t data_end = std::clamp(data.end, data_begin, end);
    if (data_begin == data_end) break;
    walker_.walk({data_begin, data_end - data_begin}, [this](const GuestExtent& extent) {
      const auto [from, length] = extent.guest;
      if (extent.kind == ExtentKind::unallocated) compare_range(kNotMapped, from, from + length);
      if (extent.kind == ExtentKind::zero || extent.kind == ExtentKind::zero_allocated)
        compare_range(kReadsAsZeros, from, from + length);
      return true;
    });
    at = data_end;
  }
  finish(kReadsAsZeros);
  finish(kNotMapped);
}

void RawComparison::Worker::compare_range(Promise promise, std::uint64_t begin, std::uint64_t end) {
  const Place place{.file = File::data_file, .structure = Structure::data};
  while (begin < end) {
    const std::uint64_t length = std::min(kReadBytes, end - begin);
    const std::span bytes = std::span(buffer_).first(length);
    if (all_.context_.read(all_.data_file_, begin, bytes, place)) compare_bytes(promise, bytes, begin);
    begin += length;
  }
}

void RawComparison::Worker::compare_bytes(Promise promise, std::span<const std::byte> bytes,
                                          std::uint64_t at) {
  for (std::uint64_t done = 0; done < bytes.size();) {
    const std::size_t zeros = leading_zeros(bytes.subspan(done));
    if (done + zeros == bytes.size()) return;
    done = note(promise, at + done + zeros) - at;
  }
}

std::uint64_t RawComparison::Worker::note(Promise promise, std::uint64_t at) {
  const std::uint64_t cluster = at / all_.context_.geometry.cluster_bytes;
  const std::uint64_t begin = at - at % all_.unit_bytes_;
  const std::uint64_t end = begin + std::min(all_.unit_bytes_, all_.disk_.disk_bytes - begin);
  // That one is data-file/zero-offset.
  if (cluster == 0 && promise == kNotMapped && all_.context_.lost_first_cluster) return end;
  std::optional<Run>& run = open_[promise];
  if (run && cluster > run->last_cluster + 1) finish(promise);
  if (!run) run = Run{.first_cluster = cluster, .bytes = {begin, 0}, .first_byte = at};
  run->last_cluster = cluster;
  run->bytes.length = end - run->bytes.offset;
  return end;
}

void RawComparison::Worker::finish(Promise promise) {
  const std::optional<Run> run = std::exchange(open_[promise], std::nullopt);
  if (!run) return;
  const std::uint64_t clusters_in_piece = kPieceBytes / all_.context_.geometry.cluster_bytes;
  const bool at_edge = run->first_cluster % clusters_in_piece == 0 ||
                       run->last_cluster % clusters_in_piece == clusters_in_piece - 1;
  if (!at_edge) return all_.report(promise, *run);
  const std::scoped_lock lock(all_.mutex_);
  all_.edges_[promise].push_back(*run);
}

void RawComparison::join_edges() {
  for (const Promise promise : {kReadsAsZeros, kNotMapped}) {
    std::vector<Run>& runs = edges_[promise];
    std::ranges::sort(runs, {}, &Run::first_cluster);
    for (std::size_t index = 0; index < runs.size(); ++index) {
      Run run = runs[index];
      while (index + 1 < runs.size() && runs[index + 1].first_cluster == run.last_cluster + 1) {
        const Run& next = runs[++index];
        run.last_cluster = next.last_cluster;
        run.bytes.length = next.bytes.offset + next.bytes.length - run.bytes.offset;
      }
      report(promise, run);
    }
  }
}

void RawComparison::report(Promise promise, const Run& run) {
  const std::uint64_t l2_entries = context_.geometry.l2_entries;
  const bool zeros = promise == kReadsAsZeros;
  Place place{.file = File::data_file, .structure = Structure::data};
  place.offset = run.bytes.offset;
  place.length = run.bytes.length;
  place.l1_index = run.first_cluster / l2_entries;
  place.l2_index = run.first_cluster % l2_entries;
  place.guest = run.bytes;
  context_.findings.add({.rule = zeros ? rule("data-file/raw-zero-differs") : rule("data-file/raw-unmapped"),
                         .place = std::move(place),
                         .count = run.last_cluster - run.first_cluster + 1,
                         .detail = fmt::format("{}, but the data file has data, first at {:#x}",
                                               zeros ? "the metadata says that the guest reads zeros"
                                                     : "the metadata maps nothing here",
                                               run.first_byte)});
}

}  // namespace

void check_raw_data(Context& context) {
  const bool promised = context.header.has_data_file() && context.header.is_raw_data();
  if (!promised || context.data_file.state != Companion::State::open) return;
  RawComparison(context).run();
  context.report.data_file_examined = true;
}

}  // namespace cowvet
