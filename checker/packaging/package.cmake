# Debian packages, by `cpack --config build/CPackConfig.cmake`: the tools, the library, and what building with it takes.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME cowvet)
set(CPACK_PACKAGE_CONTACT "cowvet maintainers <maintainers@cowvet.org>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL tools library development)
if(TARGET cowvet_nbd)
  list(APPEND CPACK_COMPONENTS_ALL nbd)
endif()
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)

# cowvet_package(COMPONENT NAME SECTION DESCRIPTION): one component, with the files that every package has.
function(cowvet_package component name section description)
  string(TOUPPER ${component} upper)
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${name} PARENT_SCOPE)
  set(CPACK_DEBIAN_${upper}_PACKAGE_SECTION ${section} PARENT_SCOPE)
  set(CPACK_DEBIAN_${upper}_DESCRIPTION "${description}" PARENT_SCOPE)
  set(CPACK_COMPONENT_${upper}_DESCRIPTION "${description}" PARENT_SCOPE)
  install(FILES ${cowvet_packaging}/copyright DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${name} COMPONENT ${component})
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/changelog.gz DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${name}
    COMPONENT ${component})
endfunction()

find_program(GZIP_PROGRAM gzip REQUIRED)
execute_process(COMMAND ${GZIP_PROGRAM} -9nc ${cowvet_packaging}/changelog
  OUTPUT_FILE ${CMAKE_CURRENT_BINARY_DIR}/changelog.gz COMMAND_ERROR_IS_FATAL ANY)

set(cowvet_library_package libcowvet${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
cowvet_package(tools cowvet utils "consistency checker and repair tool for qcow2 disk images
 cowvet examines qcow2 images, external data files included, and says what is
 damaged and what it means for the guest. cowvet-repair carries out a plan that
 was rehearsed in memory, with a journal and an undo file.")
# For the hook of libvirt, which is off until an administrator turns it on, and says so when it is not there; for the
# job files.
set(CPACK_DEBIAN_TOOLS_PACKAGE_SUGGESTS "libxml2-utils, cowvet-nbd (= ${PROJECT_VERSION}), parallel, slurm-client")
cowvet_package(library ${cowvet_library_package} libs "checks and repairs qcow2 disk images - shared library
 The analysis of qcow2 images, plans that repair them, and the transaction that
 applies a plan, for programs that want them without running cowvet.")
cowvet_package(development libcowvet-dev libdevel "checks and repairs qcow2 disk images - development files
 Headers, CMake package and pkg-config file for programs that use libcowvet.")
cowvet_package(nbd cowvet-nbd utils "checks qcow2 disk images on NBD servers
 A component of cowvet, which loads it for addresses such as
 nbd://server/export and nbd+unix:///?socket=path.")
set(CPACK_DEBIAN_NBD_PACKAGE_DEPENDS "cowvet (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
  "${cowvet_library_package} (= ${PROJECT_VERSION}), libfmt-dev, libroaring-dev")
# The linker's cache is renewed by a trigger, as Debian wants it; CPack adds scripts that do the same.
file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/debian/triggers "activate-noawait ldconfig\n")
file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/debian/shlibs
  "libcowvet ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR} ${cowvet_library_package} (>= ${PROJECT_VERSION})\n")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA
  ${CMAKE_CURRENT_BINARY_DIR}/debian/triggers ${CMAKE_CURRENT_BINARY_DIR}/debian/shlibs)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_STRICT_PERMISSION ON)
file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/debian/${cowvet_library_package}
  "${cowvet_library_package}: maintscript-calls-ldconfig\n")
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/debian/${cowvet_library_package}
  DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides COMPONENT library)
include(CPack)
