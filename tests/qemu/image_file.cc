#include "tests/qemu/image_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "checker/format/refcount_block.h"

namespace cowvet {
namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

ImageFile::ImageFile(const std::filesystem::path& path)
    : descriptor_(open(path.c_str(), O_RDWR | O_CLOEXEC)) {
  if (descriptor_ < 0) fail("open");
  header_ = decode_header(read(0, kHeaderKnownBytes)).value();
}

ImageFile::~ImageFile() {
  close(descriptor_);
}

std::uint64_t ImageFile::size_bytes() const {
  struct stat status{};
  if (fstat(descriptor_, &status) != 0) fail("fstat");
  return static_cast<std::uint64_t>(status.st_size);
}

std::vector<std::byte> ImageFile::read(std::uint64_t offset, std::uint64_t length) const {
  std::vector<std::byte> bytes(length);
  if (pread(descriptor_, bytes.data(), length, static_cast<off_t>(offset)) < 0) fail("pread");
  return bytes;
}

void ImageFile::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset)) !=
      static_cast<ssize_t>(bytes.size()))
    fail("pwrite");
}

std::uint64_t ImageFile::read_u64(std::uint64_t offset) const {
  return load_big_endian<std::uint64_t>(read(offset, 8).data());
}

void ImageFile::write_u64(std::uint64_t offset, std::uint64_t value) {
  std::byte bytes[8];
  store_big_endian(bytes, value);
  write(offset, bytes);
}

std::vector<std::uint64_t> ImageFile::table(std::uint64_t offset, std::uint64_t entries) const {
  const std::vector<std::byte> bytes = read(offset, entries * 8);
  std::vector<std::uint64_t> table;
  for (std::uint64_t i = 0; i < entries; ++i)
    table.push_back(load_big_endian<std::uint64_t>(bytes.data() + i * 8));
  return table;
}

L1Entry ImageFile::l1_entry(std::uint64_t l1_index) const {
  return {read_u64(header_.l1_table_offset + l1_index * 8)};
}

std::uint64_t ImageFile::l2_entry_offset(std::uint64_t guest_cluster) const {
  const std::uint64_t table = l1_entry(guest_cluster / l2_entries()).l2_offset();
  return table == 0 ? 0 : table + guest_cluster % l2_entries() * l2_entry_bytes();
}

L2Entry ImageFile::l2_entry(std::uint64_t guest_cluster) const {
  const std::uint64_t at = l2_entry_offset(guest_cluster);
  return {at == 0 ? 0 : read_u64(at)};
}

std::uint64_t ImageFile::refcount(std::uint64_t host_cluster) const {
  const std::uint64_t per_block = refcounts_per_block(header_.cluster_bits, header_.refcount_order);
  const RefcountTableEntry entry{read_u64(header_.refcount_table_offset + host_cluster / per_block * 8)};
  if (entry.block_offset() == 0) return 0;
  return get_refcount(read(entry.block_offset(), cluster_bytes()), header_.refcount_order,
                      host_cluster % per_block);
}

std::vector<Snapshot> ImageFile::snapshots() const {
  std::vector<Snapshot> all;
  std::uint64_t at = header_.snapshots_offset;
  for (std::uint32_t i = 0; i < header_.nb_snapshots; ++i) {
    const auto decoded = decode_snapshot(read(at, 4096)).value();
    all.push_back(decoded.snapshot);
    at += decoded.entry_bytes;
  }
  return all;
}

}  // namespace cowvet
