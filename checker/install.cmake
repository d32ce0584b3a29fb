# The program, and the checker and the repair stage (repair/) as libraries: for find_package(cowvet) and for pkg-config.
include(CMakePackageConfigHelpers)
set(cowvet_package_directory ${CMAKE_INSTALL_LIBDIR}/cmake/cowvet)

install(TARGETS cowvet RUNTIME)
install(TARGETS cowvet_checker EXPORT cowvetTargets)
install(DIRECTORY analysis catalogue device format planning report
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/cowvet/checker FILES_MATCHING PATTERN "*.h")
install(EXPORT cowvetTargets NAMESPACE cowvet:: DESTINATION ${cowvet_package_directory})

configure_package_config_file(cowvetConfig.cmake.in cowvetConfig.cmake INSTALL_DESTINATION ${cowvet_package_directory})
write_basic_package_version_file(cowvetConfigVersion.cmake COMPATIBILITY SameMinorVersion)
# Relative, so that what is installed may be moved.
file(RELATIVE_PATH cowvet_pc_to_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cowvet.pc.in cowvet.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/cowvetConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/cowvetConfigVersion.cmake
  DESTINATION ${cowvet_package_directory})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/cowvet.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
