#include "tests/matrix/guest_reader.h"

#include <algorithm>

#include "checker/analysis/context.h"
#include "checker/analysis/decompress.h"
#include "checker/format/endian.h"
#include "checker/format/entries.h"
#include "checker/format/snapshot.h"
#include "checker/format/units.h"

namespace cowvet::matrix {

GuestReader::GuestReader(const corpus::BuiltImage& built) : built_(built) {
  const auto header = decode_header(built.image);
  if (!header || header->cluster_bits < 9 || header->cluster_bits > 21) return;
  header_ = *header;
  load_snapshots();
}

void GuestReader::load_snapshots() {
  std::uint64_t at = header_->snapshots_offset;
  for (std::uint32_t i = 0; i < header_->nb_snapshots && at < built_.image.size(); ++i) {
    const auto entry = decode_snapshot(std::span(built_.image).subspan(at));
    if (!entry) return;
    const Snapshot& found = entry->snapshot;
    snapshots_[SnapshotRecord{.snapshot = found}.owner()] = {found.l1_table_offset, found.l1_size,
                                                             found.disk_size(header_->size)};
    at += entry->entry_bytes;
  }
}

std::vector<std::string> GuestReader::owners() const {
  std::vector<std::string> owners;
  for (const auto& [owner, disk] : snapshots_) owners.push_back(owner);
  return owners;
}

std::optional<std::uint64_t> GuestReader::number(std::uint64_t offset) const {
  if (!fits_in(offset, 8, built_.image.size())) return std::nullopt;
  return load_big_endian<std::uint64_t>(built_.image.data() + offset);
}

GuestReader::Content GuestReader::active(std::uint64_t guest) const {
  return read({header_->l1_table_offset, header_->l1_size, header_->size}, guest);
}

GuestReader::Content GuestReader::snapshot(const std::string& owner, std::uint64_t guest) const {
  const auto found = snapshots_.find(owner);
  return found == snapshots_.end() ? std::nullopt : read(found->second, guest);
}

GuestReader::Content GuestReader::read(const Disk& disk, std::uint64_t guest) const {
  const std::uint64_t cluster = cluster_bytes();
  const std::uint64_t in_table = cluster / entry_bytes();
  const std::uint64_t index = guest / cluster;
  if (guest >= disk.bytes || index / in_table >= disk.l1_entries || disk.l1_offset % cluster != 0)
    return std::nullopt;
  const auto l1 = number(disk.l1_offset + index / in_table * 8);
  if (!l1 || L1Entry{*l1}.reserved() != 0) return std::nullopt;
  const std::uint64_t table = L1Entry{*l1}.l2_offset();
  if (table % cluster != 0) return std::nullopt;
  if (table == 0) return read_standard(0, 0, guest);
  const std::uint64_t at = table + index % in_table * entry_bytes();
  const auto entry = number(at);
  const auto subclusters = header_->has_extended_l2() ? number(at + 8) : 0;
  if (!entry || !subclusters) return std::nullopt;
  if (!L2Entry{*entry}.compressed()) return read_standard(*entry, *subclusters, guest);
  return *subclusters == 0 && !L2Entry{*entry}.copied() ? read_compressed(*entry) : std::nullopt;
}

std::span<const std::byte> GuestReader::file_with_data() const {
  if (!header_->has_data_file()) return built_.image;
  return built_.data_file ? std::span<const std::byte>(*built_.data_file) : std::span<const std::byte>();
}

GuestReader::Content GuestReader::read_standard(std::uint64_t raw, std::uint64_t subclusters,
                                                std::uint64_t guest) const {
  constexpr unsigned kPieces = SubclusterBitmap::kSubclusters;
  const L2Entry entry{raw};
  const bool extended = header_->has_extended_l2();
  const bool data_file = header_->has_data_file();
  if (entry.reserved() != 0 || entry.host_offset() % cluster_bytes() != 0) return std::nullopt;
  if (entry.zero() && (extended || header_->version < 3)) return std::nullopt;
  const bool allocated = entry.host_offset() != 0 || (data_file && guest == 0 && entry.copied());
  if (data_file && allocated && entry.host_offset() != guest) return std::nullopt;
  if (!allocated && (entry.copied() || SubclusterBitmap{subclusters}.allocated() != 0)) return std::nullopt;
  SubclusterBitmap bits{subclusters};
  if (!extended) bits.raw = entry.zero() ? 0xffffffff00000000 : allocated ? 0xffffffff : 0;
  if (bits.conflict() != 0) return std::nullopt;

  std::vector<std::byte> out(cluster_bytes());
  const std::span<const std::byte> file = file_with_data();
  const std::uint64_t piece = out.size() / kPieces;
  for (unsigned i = 0; i < kPieces; ++i) {
    const auto part = std::span(out).subspan(i * piece, piece);
    if (bits.zero() >> i & 1) continue;
    if (!(bits.allocated() >> i & 1)) {
      if (!fill_from_backing(guest + i * piece, part)) return std::nullopt;
      continue;
    }
    const std::uint64_t at = entry.host_offset() + i * piece;
    // Of the last cluster of a file only a part need be there.
    if (entry.host_offset() >= file.size()) return std::nullopt;
    const std::uint64_t there = at < file.size() ? std::min<std::uint64_t>(piece, file.size() - at) : 0;
    std::copy_n(file.begin() + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(at, file.size())), there,
                part.begin());
  }
  return out;
}

GuestReader::Content GuestReader::read_compressed(std::uint64_t entry) const {
  if (header_->has_data_file() || header_->compression_type > 1) return std::nullopt;
  const CompressedDescriptor at = decode_compressed(L2Entry{entry}, header_->cluster_bits);
  if (at.offset >= built_.image.size()) return std::nullopt;
  const std::uint64_t end = std::min<std::uint64_t>(at.end(), built_.image.size());
  std::vector<std::byte> out(cluster_bytes());
  Decompressor decompressor(CompressionType{header_->compression_type});
  if (!decompressor.decode(std::span(built_.image).subspan(at.offset, end - at.offset), out))
    return std::nullopt;
  return out;
}

// False: it is not known which file that is.
bool GuestReader::fill_from_backing(std::uint64_t guest, std::span<std::byte> out) const {
  std::ranges::fill(out, std::byte{0});
  if (header_->backing_file_offset == 0) return true;
  const std::string& name = built_.layout.backing_name;
  if (name.empty() || header_->backing_file_size != name.size() ||
      !fits_in(header_->backing_file_offset, name.size(), built_.image.size()) || !built_.backing_file)
    return false;
  const auto* stored = reinterpret_cast<const char*>(built_.image.data()) + header_->backing_file_offset;
  if (std::string_view(stored, name.size()) != name) return false;
  const auto& file = *built_.backing_file;
  if (guest < file.size())
    std::copy_n(file.begin() + static_cast<std::ptrdiff_t>(guest),
                std::min<std::uint64_t>(out.size(), file.size() - guest), out.begin());
  return true;
}

}  // namespace cowvet::matrix
