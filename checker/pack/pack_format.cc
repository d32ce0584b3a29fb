#include "checker/pack/pack_format.h"

#include <fmt/format.h>
#include <xxhash.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <istream>
#include <limits>
#include <new>
#include <ostream>
#include <string_view>

#include "checker/analysis/bytes.h"
#include "checker/format/endian.h"

namespace cowvet {
namespace {

constexpr std::string_view kPackMagic = "cowvet pack 1\n";
constexpr std::size_t kBlockHeadBytes = 8 + 4 + 4 + 8;
constexpr int kLevel = 9;
// Holes shorter than this are packed as zeros: cheaper than another block.
constexpr std::uint64_t kPageBytes = 4096;
constexpr std::uint64_t kShortHole = 16 * kPageBytes;

using HeadHash = std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)>;

HeadHash make_hash() {
  HeadHash hash(XXH3_createState(), XXH3_freeState);
  if (!hash) throw std::bad_alloc();
  XXH3_64bits_reset(hash.get());
  return hash;
}

std::uint64_t check_of(std::uint64_t offset, std::span<const std::byte> bytes) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), offset);
}

bool is_zero(std::span<const std::byte> bytes) {
  return leading_zeros(bytes) == bytes.size();
}

}  // namespace

struct PackWriter::Coder {
  std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> zstd{ZSTD_createCCtx(), ZSTD_freeCCtx};
  std::vector<std::byte> frame = std::vector<std::byte>(ZSTD_compressBound(kPackBlockBytes));
  HeadHash hash = make_hash();
};

PackWriter::PackWriter(std::ostream& out) : out_(out), coder_(std::make_unique<Coder>()) {
  if (!coder_->zstd) throw std::bad_alloc();
  put_head(std::as_bytes(std::span(kPackMagic)));
}

PackWriter::~PackWriter() = default;

void PackWriter::put_head(std::span<const std::byte> bytes) {
  XXH3_64bits_update(coder_->hash.get(), bytes.data(), bytes.size());
  out_.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

void PackWriter::put_file(PackedFile file, std::uint64_t size_bytes) {
  std::array<std::byte, 9> head{static_cast<std::byte>(file)};
  store_big_endian(head.data() + 1, size_bytes);
  put_head(head);
}

void PackWriter::add_image_as_data_file() {
  put_file(PackedFile::image_as_data_file, 0);
}

void PackWriter::add(PackedFile file, const Device& device) {
  put_file(file, device.size_bytes());
  std::vector<std::byte> block;  // what is not written yet
  std::uint64_t block_offset = 0;
  std::array<std::byte, kPageBytes> page{};
  const auto flush = [&] {
    if (!block.empty()) add_block(block_offset, block);
    block.clear();
  };
  const std::uint64_t end = device.size_bytes();
  for (std::uint64_t at = 0; at < end;) {
    const DataExtent data = device.next_data(at);
    if (data.begin >= end || data.begin == data.end) break;
    at = std::max(at, data.begin / kPageBytes * kPageBytes);
    const std::span bytes = std::span(page).first(std::min(kPageBytes, end - at));
    if (device.read(at, bytes) && !is_zero(bytes)) {
      const std::uint64_t reach = block_offset + block.size();
      if (!block.empty() && (at - reach >= kShortHole || at + bytes.size() - block_offset > kPackBlockBytes))
        flush();
      if (block.empty()) block_offset = at;
      block.resize(at - block_offset);
      block.insert(block.end(), bytes.begin(), bytes.end());
    }
    at += bytes.size();
  }
  flush();
}

void PackWriter::add_block(std::uint64_t offset, std::span<const std::byte> bytes) {
  std::vector<std::byte>& frame = coder_->frame;
  const std::size_t packed =
      ZSTD_compressCCtx(coder_->zstd.get(), frame.data(), frame.size(), bytes.data(), bytes.size(), kLevel);
  if (ZSTD_isError(packed)) throw std::bad_alloc();  // the only way in which it can fail here
  std::array<std::byte, 1 + kBlockHeadBytes> head{std::byte{'B'}};
  store_big_endian(head.data() + 1, offset);
  store_big_endian(head.data() + 9, static_cast<std::uint32_t>(bytes.size()));
  store_big_endian(head.data() + 13, static_cast<std::uint32_t>(packed));
  store_big_endian(head.data() + 17, check_of(offset, bytes));
  put_head(head);
  out_.write(reinterpret_cast<const char*>(frame.data()), static_cast<std::streamsize>(packed));
}

void PackWriter::finish() {
  put_head(std::array{std::byte{'E'}});
  std::array<std::byte, 8> check{};
  store_big_endian(check.data(), static_cast<std::uint64_t>(XXH3_64bits_digest(coder_->hash.get())));
  out_.write(reinterpret_cast<const char*>(check.data()), check.size());
}

namespace {

using Done = std::expected<void, std::string>;

std::unexpected<std::string> damaged(std::string_view what) {
  return std::unexpected(fmt::format("the pack is damaged: {}", what));
}

class Unpacker {
 public:
  Unpacker(std::istream& in, std::uint64_t most_bytes, const PackSink& sink)
      : in_(in), bytes_left_(most_bytes), sink_(sink) {
    if (!zstd_) throw std::bad_alloc();
  }

  Done run() {
    std::array<std::byte, kPackMagic.size()> magic{};
    if (!get_head(magic) || !std::ranges::equal(magic, std::as_bytes(std::span(kPackMagic))))
      return std::unexpected("this is not a cowvet pack, or one of another version");
    while (true) {
      std::array<std::byte, 1> tag{};
      if (!get_head(tag)) return damaged("it ends too early");
      const char kind = std::to_integer<char>(tag[0]);
      if (kind == 'E') return check_end();
      const Done done = kind == 'B' ? unpack_block() : begin_file(kind);
      if (!done) return done;
    }
  }

 private:
  Done begin_file(char kind) {
    const bool expected = files_ == 0 ? kind == 'I' : files_ == 1 && (kind == 'D' || kind == 'S');
    if (!expected) return damaged("something unknown is in it");
    ++files_;
    std::array<std::byte, 8> size{};
    if (!get_head(size)) return damaged("it ends too early");
    size_bytes_ = load_big_endian<std::uint64_t>(size.data());
    if (kind == 'S' && size_bytes_ != 0) return damaged("something unknown is in it");
    if (size_bytes_ > std::numeric_limits<std::int64_t>::max()) return damaged("a file is impossibly long");
    next_offset_ = 0;
    return sink_.begin(static_cast<PackedFile>(kind), size_bytes_);
  }

  Done unpack_block() {
    std::array<std::byte, kBlockHeadBytes> head{};
    if (files_ == 0 || !get_head(head)) return damaged("it ends too early, or begins with a block");
    const auto offset = load_big_endian<std::uint64_t>(head.data());
    const auto length = load_big_endian<std::uint32_t>(head.data() + 8);
    const auto packed = load_big_endian<std::uint32_t>(head.data() + 12);
    if (length == 0 || length > kPackBlockBytes || offset < next_offset_ || offset > size_bytes_ ||
        length > size_bytes_ - offset)
      return damaged("a block does not lie in its file behind the one before");
    if (packed > frame_.size()) return damaged("a block is longer than it can be");
    if (length > bytes_left_) return std::unexpected("the pack holds more than was allowed to be written");
    bytes_left_ -= length;
    next_offset_ = offset + length;
    const std::span frame = std::span(frame_).first(packed);
    const std::span bytes = std::span(bytes_).first(length);
    if (!get(frame)) return damaged("it ends too early");
    if (ZSTD_decompressDCtx(zstd_.get(), bytes.data(), bytes.size(), frame.data(), frame.size()) != length ||
        check_of(offset, bytes) != load_big_endian<std::uint64_t>(head.data() + 16))
      return damaged(fmt::format("the block at {:#x} is not what was packed", offset));
    return sink_.write(offset, bytes);
  }

  Done check_end() {
    const std::uint64_t expected = XXH3_64bits_digest(hash_.get());
    std::array<std::byte, 8> check{};
    if (files_ == 0 || !get(check) || load_big_endian<std::uint64_t>(check.data()) != expected)
      return damaged("blocks are missing, or the end is");
    if (in_.peek() != std::char_traits<char>::eof()) return damaged("something follows its end");
    return {};
  }

  bool get(std::span<std::byte> bytes) {
    in_.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return in_.gcount() == static_cast<std::streamsize>(bytes.size());
  }
  bool get_head(std::span<std::byte> bytes) {
    if (!get(bytes)) return false;
    XXH3_64bits_update(hash_.get(), bytes.data(), bytes.size());
    return true;
  }

  std::istream& in_;
  std::uint64_t bytes_left_;
  const PackSink& sink_;
  std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> zstd_{ZSTD_createDCtx(), ZSTD_freeDCtx};
  std::vector<std::byte> frame_ = std::vector<std::byte>(ZSTD_compressBound(kPackBlockBytes));
  std::vector<std::byte> bytes_ = std::vector<std::byte>(kPackBlockBytes);
  HeadHash hash_ = make_hash();
  int files_ = 0;
  std::uint64_t size_bytes_ = 0;
  std::uint64_t next_offset_ = 0;
};

}  // namespace

std::expected<void, std::string> read_pack(std::istream& in, std::uint64_t most_bytes, const PackSink& sink) {
  return Unpacker(in, most_bytes, sink).run();
}

}  // namespace cowvet
