#include "checker/nbd/module.h"

#include "checker/nbd/nbd_device.h"

extern "C" cowvet::Device* cowvet_connect_nbd(const std::string& address, std::string& error) __asm__(
    "cowvet_connect_nbd_" COWVET_VERSION);

cowvet::Device* cowvet_connect_nbd(const std::string& address, std::string& error) {
  auto device = cowvet::NbdDevice::connect(address);
  if (device) return device->release();
  error = device.error();
  return nullptr;
}
