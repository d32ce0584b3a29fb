#include "checker/analysis/decompress.h"

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <random>
#include <vector>

namespace cowvet {
namespace {

using Bytes = std::vector<std::byte>;
constexpr std::size_t kClusterBytes = 65536;

// Half noise, half repeated from 20,000 bytes before: farther than the window that QEMU writes with.
Bytes sample(std::size_t length = kClusterBytes) {
  std::mt19937 random(1);
  Bytes bytes(length);
  for (std::size_t index = 0; index < length; ++index)
    bytes[index] = index < 20000 ? static_cast<std::byte>(random()) : bytes[index - 20000];
  return bytes;
}

Bytes deflated(const Bytes& plain, int window_bits, int flush = Z_FINISH) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, window_bits, 9, Z_DEFAULT_STRATEGY);
  Bytes out(deflateBound(&stream, plain.size()) + 64);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, flush);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

Bytes zstd_frame(const Bytes& plain, int window_log = 0) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  if (window_log != 0) {
    ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  }
  Bytes out(ZSTD_compressBound(plain.size()) + 64);
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  ZSTD_inBuffer first{plain.data(), plain.size() / 2, 0};
  ZSTD_inBuffer second{plain.data() + plain.size() / 2, plain.size() - plain.size() / 2, 0};
  // In two steps, so that the encoder does not shrink the window to what it sees at once.
  ZSTD_compressStream2(context, &to, &first, ZSTD_e_continue);
  ZSTD_compressStream2(context, &to, &second, ZSTD_e_end);
  ZSTD_freeCCtx(context);
  out.resize(to.pos);
  return out;
}

// Empty: decoded. `plain` is what must have come out.
std::string_view decode(CompressionType type, const Bytes& stream, const Bytes& plain) {
  Decompressor decompressor(type);
  Bytes cluster(kClusterBytes);
  const auto result = decompressor.decode(stream, cluster);
  if (!result) return result.error();
  EXPECT_EQ(cluster, plain);
  return {};
}

Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

TEST(Decompress, deflate_of_one_cluster_decodes) {
  EXPECT_EQ(decode(CompressionType::deflate, deflated(sample(), -12), sample()), "");
}

TEST(Decompress, deflate_with_the_largest_window_decodes) {
  EXPECT_EQ(decode(CompressionType::deflate, deflated(sample(), -15), sample()), "");
}

TEST(Decompress, bytes_behind_a_deflate_stream_do_no_harm) {
  EXPECT_EQ(decode(CompressionType::deflate, deflated(sample(), -12) + Bytes(700, std::byte{0xff}), sample()),
            "");
}

// QEMU stops when the cluster is full; libdeflate alone would reject both.
TEST(Decompress, deflate_without_end_marker_decodes) {
  EXPECT_EQ(decode(CompressionType::deflate, deflated(sample(), -12, Z_SYNC_FLUSH), sample()), "");
}

TEST(Decompress, deflate_of_more_than_a_cluster_decodes) {
  EXPECT_EQ(decode(CompressionType::deflate, deflated(sample(kClusterBytes + 5000), -12), sample()), "");
}

TEST(Decompress, deflate_that_is_short_cut_or_damaged_is_rejected) {
  EXPECT_EQ(decode(CompressionType::deflate, deflated(sample(kClusterBytes - 1), -12), {}),
            "the deflate stream ends before the cluster is full");
  Bytes stream = deflated(sample(), -12);
  stream.resize(stream.size() / 2);
  EXPECT_EQ(decode(CompressionType::deflate, stream, {}), "the deflate stream is cut off");
  EXPECT_EQ(decode(CompressionType::deflate, Bytes(512, std::byte{0xff}), {}),
            "the deflate stream is damaged");
  EXPECT_EQ(decode(CompressionType::deflate, {}, {}), "the deflate stream is cut off");
}

TEST(Decompress, zstd_of_one_cluster_decodes) {
  EXPECT_EQ(decode(CompressionType::zstd, zstd_frame(sample()), sample()), "");
  EXPECT_EQ(decode(CompressionType::zstd, zstd_frame(sample()) + Bytes(700, std::byte{0xff}), sample()), "");
}

TEST(Decompress, several_zstd_frames_decode) {
  const Bytes plain = sample();
  const Bytes first(plain.begin(), plain.begin() + 1000);
  const Bytes second(plain.begin() + 1000, plain.end());
  EXPECT_EQ(decode(CompressionType::zstd, zstd_frame(first) + zstd_frame({}) + zstd_frame(second), plain),
            "");
}

TEST(Decompress, zstd_frame_with_a_huge_window_decodes) {
  EXPECT_EQ(decode(CompressionType::zstd, zstd_frame(sample(), 27), sample()), "");
}

TEST(Decompress, zstd_that_is_short_long_cut_or_damaged_is_rejected) {
  EXPECT_EQ(decode(CompressionType::zstd, zstd_frame(sample(kClusterBytes - 1)), {}),
            "the zstd stream is cut off");
  const std::string_view too_long = "the zstd stream goes on behind the end of the cluster";
  EXPECT_EQ(decode(CompressionType::zstd, zstd_frame(sample(kClusterBytes + 1)), {}), too_long);
  EXPECT_EQ(decode(CompressionType::zstd, zstd_frame(sample(kClusterBytes + 1), 20), {}), too_long);
  Bytes stream = zstd_frame(sample());
  stream.resize(stream.size() / 2);
  EXPECT_EQ(decode(CompressionType::zstd, stream, {}), "the zstd stream is cut off");
  EXPECT_EQ(decode(CompressionType::zstd, deflated(sample(), -12), {}), "the zstd stream is damaged");
  EXPECT_EQ(decode(CompressionType::zstd, {}, {}), "the zstd stream is cut off");
}

TEST(Decompress, decoder_works_again_after_a_bad_stream) {
  for (const CompressionType type : {CompressionType::deflate, CompressionType::zstd}) {
    Decompressor decompressor(type);
    Bytes cluster(kClusterBytes);
    const Bytes good = type == CompressionType::zstd ? zstd_frame(sample()) : deflated(sample(), -12);
    Bytes bad = good;
    bad.resize(bad.size() / 2);
    EXPECT_FALSE(decompressor.decode(bad, cluster));
    EXPECT_TRUE(decompressor.decode(good, cluster));
    EXPECT_EQ(cluster, sample());
  }
}

}  // namespace
}  // namespace cowvet
