package dev.xip.disk;

import dev.xip.base.ByteView;
import dev.xip.base.MalformedDataException;
import dev.xip.disk.Contents.Kind;
import java.util.List;

/**
 * The magic number of a format that xip does not read, and what a user can do about it.
 *
 * @param kind whether it is a file system or something to be converted
 * @param name the format's name in messages
 * @param at the byte offset of the number
 * @param magic its bytes, one char each
 * @param advice how a user gets at the files; {@code %s} stands for the file's name
 */
record Signature(Kind kind, String name, long at, String magic, String advice) {
  private static final String MOUNT = "mount it and pack its files (xip pack FOLDER IMAGE)";
  private static final String CONVERT = "qemu-img convert -O raw %s RAW makes a raw image";

  /** All, the likeliest first. */
  static final List<Signature> ALL =
      List.of(
          packed("gzip-compressed data", 0, "\37\213", "gzip -dc %s > RAW decompresses it"),
          packed("zstd-compressed data", 0, "(\265/\375", "zstd -dc %s > RAW decompresses it"),
          packed("xz-compressed data", 0, "\3757zXZ\0", "xz -dc %s > RAW decompresses it"),
          packed("bzip2-compressed data", 0, "BZh", "bzip2 -dc %s > RAW decompresses it"),
          packed("LZ4-compressed data", 0, "\4\"M\30", "lz4 -dc %s > RAW decompresses it"),
          packed("LZ4-compressed data", 0, "\2!L\30", "lz4 -dc %s > RAW decompresses it"),
          packed("lzip-compressed data", 0, "LZIP", "lzip -dc %s > RAW decompresses it"),
          packed("an Android sparse image", 0, ":\377&\355", "simg2img %s RAW makes a raw image"),
          packed("an Android boot image", 0, "ANDROID!", "unpack_bootimg unpacks it"),
          packed("Android logical partitions", 0x1000, "gDla", "lpunpack %s unpacks them"),
          packed("a qcow2 image", 0, "QFI\373", CONVERT),
          packed("a VHDX image", 0, "vhdxfile", CONVERT),
          packed("a VHD image", 0, "conectix", CONVERT),
          packed("a VMDK image", 0, "KDMV", CONVERT),
          packed("a VMDK image", 0, "COWD", CONVERT),
          packed("a VMDK descriptor", 0, "# Disk DescriptorFile", CONVERT),
          packed("a VDI image", 0x40, "\177\20\332\276", CONVERT),
          packed("a zip archive", 0, "PK\3\4", "unzip %s unpacks it for xip pack"),
          packed("a 7-Zip archive", 0, "7z\274\257'\34", "7z x %s unpacks it for xip pack"),
          packed("a cpio archive", 0, "07070", "cpio -id < %s unpacks it for xip pack"),
          packed("a tar archive", 0x101, "ustar", "tar -xf %s unpacks it for xip pack"),
          other("squashfs", 0, "hsqs", "unsquashfs %s unpacks it for xip pack"),
          other("ISO 9660", 0x8001, "CD001", MOUNT),
          other("UDF", 0x8001, "BEA01", MOUNT),
          other("XFS", 0, "XFSB", MOUNT),
          other("Btrfs", 0x10040, "_BHRfS_M", MOUNT),
          other("F2FS", 0x400, "\20 \365\362", MOUNT),
          other("ReiserFS", 0x10034, "ReIsEr", MOUNT),
          other("JFS", 0x8000, "JFS1", MOUNT),
          other("NTFS", 3, "NTFS    ", MOUNT),
          other("exFAT", 3, "EXFAT   ", MOUNT),
          other("FAT", 0x36, "FAT12   ", MOUNT),
          other("FAT", 0x36, "FAT16   ", MOUNT),
          other("FAT", 0x52, "FAT32   ", MOUNT),
          other("APFS", 0x20, "NXSB", MOUNT),
          other("cramfs", 0, "E=\315(", MOUNT),
          other("romfs", 0, "-rom1fs-", MOUNT),
          other("UBI", 0, "UBI#", MOUNT),
          other("swap space", 0xff6, "SWAPSPACE2", "it holds no files"),
          other("LUKS", 0, "LUKS\272\276", "cryptsetup open %s NAME gives a device to read"),
          other("LVM", 0x218, "LVM2 001", "vgchange -ay gives devices to read"),
          other("Linux RAID", 0, "\374N+\251", "mdadm --assemble gives a device to read"),
          other("Linux RAID", 0x1000, "\374N+\251", "mdadm --assemble gives a device to read"));

  private static Signature packed(String name, long at, String magic, String advice) {
    return new Signature(Kind.PACKED, name, at, magic, advice);
  }

  private static Signature other(String name, long at, String magic, String advice) {
    return new Signature(Kind.OTHER, name, at, magic, advice);
  }

  /** Tells whether an image has the number in its place. */
  boolean isIn(ByteView image) throws MalformedDataException {
    if (image.size() - magic.length() < at) {
      return false;
    }
    for (int i = 0; i < magic.length(); i++) {
      if (image.u8(at + i) != magic.charAt(i)) {
        return false;
      }
    }
    return true;
  }
}
