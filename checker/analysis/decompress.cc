// Both formats are decoded with the rule that QEMU reads by, so that a cluster is called undecodable exactly
// when a guest would get an I/O error.
//
// Deflate is a raw stream, written with a window of 12 bits but read with any window (all of the cluster is
// there to be referred to). QEMU takes any stream that fills the cluster, whether it ends there or not.
// libdeflate is two to three times as fast as zlib, but takes only streams with an end marker: what it
// accepts is sound, what it rejects is decided by zlib.
//
// Zstandard is one frame or several, which together fill the cluster and end with it.
#include "checker/analysis/decompress.h"

#include <libdeflate.h>
#include <zlib.h>

#define ZSTD_STATIC_LINKING_ONLY  // for ZSTD_d_stableOutBuffer
#include <zstd.h>
#include <zstd_errors.h>

#include <new>

namespace cowvet {
namespace {

struct FreeDeflate {
  void operator()(libdeflate_decompressor* decoder) const { libdeflate_free_decompressor(decoder); }
};
struct FreeZstd {
  void operator()(ZSTD_DCtx* decoder) const { ZSTD_freeDCtx(decoder); }
};

constexpr int kWindowBits = -12;  // as QEMU writes and reads; negative: no zlib header

bool accepts_quickly(libdeflate_decompressor* decoder, std::span<const std::byte> stream,
                     std::span<std::byte> cluster) {
  return libdeflate_deflate_decompress(decoder, stream.data(), stream.size(), cluster.data(), cluster.size(),
                                       nullptr) == LIBDEFLATE_SUCCESS;
}

std::expected<void, std::string_view> inflate_as_qemu(z_stream& zlib, std::span<const std::byte> stream,
                                                      std::span<std::byte> cluster) {
  inflateReset(&zlib);
  zlib.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(stream.data()));
  zlib.avail_in = static_cast<uInt>(stream.size());
  zlib.next_out = reinterpret_cast<Bytef*>(cluster.data());
  zlib.avail_out = static_cast<uInt>(cluster.size());
  const int result = inflate(&zlib, Z_FINISH);
  if (result != Z_STREAM_END && result != Z_BUF_ERROR)
    return std::unexpected("the deflate stream is damaged");
  if (zlib.avail_out != 0)
    return std::unexpected(result == Z_STREAM_END ? "the deflate stream ends before the cluster is full"
                                                  : "the deflate stream is cut off");
  return {};
}

constexpr std::string_view kZstdTooLong = "the zstd stream goes on behind the end of the cluster";

std::expected<void, std::string_view> decode_zstd(ZSTD_DCtx* decoder, std::span<const std::byte> stream,
                                                  std::span<std::byte> cluster) {
  ZSTD_DCtx_reset(decoder, ZSTD_reset_session_only);
  ZSTD_inBuffer in{stream.data(), stream.size(), 0};
  ZSTD_outBuffer out{cluster.data(), cluster.size(), 0};
  std::size_t left = 0;  // 0: at the end of a frame
  while (out.pos < out.size) {
    const std::size_t before = in.pos + out.pos;
    left = ZSTD_decompressStream(decoder, &out, &in);
    if (ZSTD_getErrorCode(left) == ZSTD_error_dstSize_tooSmall) return std::unexpected(kZstdTooLong);
    if (ZSTD_isError(left)) return std::unexpected("the zstd stream is damaged");
    if (in.pos + out.pos == before) return std::unexpected("the zstd stream is cut off");
  }
  if (left != 0) return std::unexpected(kZstdTooLong);
  return {};
}

}  // namespace

struct Decompressor::Decoders {
  std::unique_ptr<libdeflate_decompressor, FreeDeflate> deflate;
  z_stream zlib{};
  bool zlib_ready = false;
  std::unique_ptr<ZSTD_DCtx, FreeZstd> zstd;

  Decoders() = default;
  Decoders(const Decoders&) = delete;
  Decoders& operator=(const Decoders&) = delete;
  ~Decoders() {
    if (zlib_ready) inflateEnd(&zlib);
  }
};

Decompressor::Decompressor(CompressionType type) : type_(type), decoders_(std::make_unique<Decoders>()) {
  if (type == CompressionType::deflate) {
    decoders_->deflate.reset(libdeflate_alloc_decompressor());
    decoders_->zlib_ready = inflateInit2(&decoders_->zlib, kWindowBits) == Z_OK;
    if (!decoders_->deflate || !decoders_->zlib_ready) throw std::bad_alloc();
  } else {
    decoders_->zstd.reset(ZSTD_createDCtx());
    if (!decoders_->zstd) throw std::bad_alloc();
    // Frames may ask for windows of up to 128 MiB: with the output at one place none is allocated.
    ZSTD_DCtx_setParameter(decoders_->zstd.get(), ZSTD_d_stableOutBuffer, 1);
  }
}

Decompressor::Decompressor(Decompressor&&) noexcept = default;
Decompressor& Decompressor::operator=(Decompressor&&) noexcept = default;
Decompressor::~Decompressor() = default;

std::expected<void, std::string_view> Decompressor::decode(std::span<const std::byte> stream,
                                                           std::span<std::byte> cluster) {
  if (type_ == CompressionType::zstd) return decode_zstd(decoders_->zstd.get(), stream, cluster);
  if (accepts_quickly(decoders_->deflate.get(), stream, cluster)) return {};
  return inflate_as_qemu(decoders_->zlib, stream, cluster);
}

}  // namespace cowvet
