package dev.xip.mount;

/**
 * Loads classes on a second processor while the thread that opens the first image of a JVM loads
 * those that it needs next: a JVM reads and parses a class of a jar in a quarter of a millisecond,
 * and to open an image and map a file takes some ninety. Nothing is initialised ahead, so no two
 * threads can wait for each other's initialisation. Classes of an archive (CDS, AOT) are there
 * already.
 *
 * <p>Only the application's class loader is asked, as only the start of a program is worth it:
 * another may hold locks of its own while its code opens an image, and a second thread that asks it
 * then takes them in another order.
 */
final class Ahead extends Thread {
  /** In the order in which they are needed, below dev.xip; those of both formats. */
  static final String[] CLASSES = {
    "mount.ImagePiece",
    "base.HasErrno",
    "host.HostException",
    "mount.ImagePiece$OpenFile",
    "host.HostPaths",
    "base.LostPages$Origin",
    "mount.ImageSource$ChannelMapper",
    "mount.ImagePlace",
    "base.Pages",
    "host.HostMapping",
    "host.Guard",
    "host.LibxipLoader",
    "host.GuardCalls",
    "base.LostPages",
    "base.LostPages$Losses",
    "base.LostPages$Range",
    "host.JdkMemory",
    "host.JdkMemory$End",
    "host.MappedMemory",
    "base.Access",
    "host.Guard$Guarded",
    "mount.OpenImage$Mapped",
    "mount.ImageFormats",
    "image.ImageFormat",
    "image.ext.ExtFormat",
    "image.FsImage",
    "image.ImageFormat$Magic",
    "image.erofs.ErofsFormat",
    "base.MalformedDataException$Factory",
    "base.ByteView",
    "image.CorruptImageException$Maker",
    "disk.Contents",
    "disk.Contents$Kind",
    "disk.Signature",
    "disk.PartitionTable",
    "image.MemoryFaults",
    "image.ext.ExtFeatures",
    "image.Overlay",
    "image.Verdict",
    "image.GuardedImage",
    "image.ext.ExtImage",
    "image.NameIndex$Entries",
    "image.DirectoryEntries",
    "image.ext.DirectoryBlocks",
    "image.ext.Superblock",
    "image.ext.SuperblockReader",
    "image.ext.Checksums",
    "base.Crc32c",
    "image.ext.Superblock$Backups",
    "image.FsInfo",
    "image.ext.InodeTable",
    "image.ext.BlockGroups",
    "mapping.Rewiring",
    "mount.ImageViews",
    "mapping.Rewiring$View",
    "mount.FileMaps",
    "image.MemoryFaults$Operation",
    "image.PathResolver",
    "base.FileName",
    "image.ext.BlockGroups$Table",
    "image.ext.BlockGroups$Place",
    "image.FileType",
    "image.Inode",
    "image.ext.BlockTree",
    "image.ext.IndirectBlocks",
    "image.ext.ExtentTree",
    "image.BlockMap$Builder",
    "image.ext.UsedBlocks",
    "image.BlockMap",
    "image.ext.DirectoryParts",
    "image.Extent",
    "image.ext.NameForm",
    "image.ext.NameForm$1",
    "XipFile",
    "mount.FileMaps$Range",
    "mount.FileMaps$ReadOnly",
    "mapping.Rewiring$Run",
    "host.RewiredView$Piece",
    "host.ArenaView",
    "host.MappingBudget",
    "host.MappingBudget$Share",
    "image.erofs.ErofsImage",
    "image.ExtentDecoder",
    "image.erofs.DirectoryBlocks",
    "image.erofs.Superblock",
    "image.erofs.Superblock$Reader",
    "image.erofs.ErofsFeatures",
    "image.erofs.InodeTable",
    "image.erofs.DataBlocks",
    "image.erofs.InodeTable$Body"
  };

  static {
    if (Ahead.class.getClassLoader() == ClassLoader.getSystemClassLoader()
        && Runtime.getRuntime().availableProcessors() > 1) {
      try {
        new Ahead().start();
      } catch (OutOfMemoryError noThread) {
        // The system has none left. The thread that opens the image loads the classes.
      }
    }
  }

  private Ahead() {
    super(null, null, "xip-ahead", 0, false);
    setDaemon(true);
  }

  /** Starts to load, once in a JVM. */
  static void begin() {
    // The first call initialises this class.
  }

  @Override
  public void run() {
    ClassLoader loader = Ahead.class.getClassLoader();
    try {
      for (String each : CLASSES) {
        Class.forName("dev.xip." + each, false, loader);
      }
    } catch (ClassNotFoundException | RuntimeException | LinkageError absent) {
      // The thread that needs the class tells of it.
    }
  }
}
