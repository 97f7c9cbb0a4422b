package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.base.Pages;
import dev.xip.elf.ElfMachine;
import dev.xip.elf.LoadableSegment;
import dev.xip.elf.ProgramHeader;
import dev.xip.file.ReadableFile;
import dev.xip.process.ModelledProcess;
import dev.xip.vfs.Directory;
import dev.xip.vfs.Node;
import dev.xip.vfs.RegularFile;
import dev.xip.vm.MapException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Makes the memory of a new program: a script's interpreter in its place, the program's segments,
 * those of ld.so, and the stack. Linux counterpart: fs/exec.c, fs/binfmt_script.c.
 */
final class ProgramLoader {
  private static final int PT_INTERP = 3;
  private static final int LONGEST_PATH = 4096;

  /** The bytes in which a script names its interpreter, BINPRM_BUF_SIZE. */
  private static final int SCRIPT_BYTES = 256;

  private static final int MOST_INTERPRETERS = 5;

  private final Kernel kernel;

  /** What relative paths start from. */
  private final Directory directory;

  /** What is open while the program is loaded. */
  private final List<Node> held = new ArrayList<>();

  ProgramLoader(Kernel kernel, Directory directory) {
    this.kernel = kernel;
    this.directory = directory;
  }

  /**
   * Loads a program.
   *
   * @return the program, whose process belongs to the caller
   * @throws IOException if it cannot be loaded; no process is left then
   */
  LoadedProgram load(String path, List<String> arguments, List<String> environment)
      throws IOException {
    try {
      return loadHeld(path, arguments, environment);
    } finally {
      held.forEach(Node::drop);
      held.clear();
    }
  }

  private LoadedProgram loadHeld(String path, List<String> arguments, List<String> environment)
      throws IOException {
    String program = path;
    List<String> words = arguments;
    for (int i = 0; i <= MOST_INTERPRETERS; i++) {
      ReadableFile file = open(program);
      List<String> script = interpreter(file);
      if (script == null) {
        return load(program, file, words, environment);
      }
      List<String> all = new ArrayList<>(script);
      all.add(program);
      all.addAll(words.subList(Math.min(1, words.size()), words.size()));
      program = script.getFirst();
      words = all;
    }
    throw new MapException(Errno.ELOOP, path, "a program", "interpreters of interpreters");
  }

  private ReadableFile open(String path) throws IOException {
    Node node = kernel.files().resolve(directory, FileName.of(path), true);
    int mode = node.attributes().mode();
    if (node instanceof RegularFile file && (mode & 0111) != 0) {
      file.hold();
      held.add(file);
      return file.mappable();
    }
    String found =
        node instanceof RegularFile
            ? "mode %o".formatted(mode)
            : "a " + node.type().name().toLowerCase(Locale.ROOT);
    throw new MapException(Errno.EACCES, path, "a file that may be executed", found);
  }

  /** The words behind #!, or null if the file is no script. */
  private static List<String> interpreter(ReadableFile file) throws IOException {
    byte[] bytes = new byte[(int) Math.min(SCRIPT_BYTES, file.size())];
    file.read(0, MemorySegment.ofArray(bytes));
    if (bytes.length < 2 || bytes[0] != '#' || bytes[1] != '!') {
      return null;
    }
    String line = new String(bytes, 2, bytes.length - 2, StandardCharsets.ISO_8859_1);
    int end = line.indexOf('\n');
    String[] words = (end < 0 ? line : line.substring(0, end)).strip().split("[ \t]+", 2);
    if (words[0].isEmpty()) {
      throw new MapException(Errno.ENOEXEC, file.name(), "a path behind #!", "none");
    }
    return Arrays.asList(words);
  }

  private LoadedProgram load(
      String path, ReadableFile file, List<String> arguments, List<String> environment)
      throws IOException {
    ModelledProcess process = ModelledProcess.start(kernel.manager(), path);
    boolean whole = false;
    try {
      process.exec(file, arguments, environment);
      if (process.image().machine() != ElfMachine.X86_64) {
        throw new MapException(
            Errno.ENOEXEC, path, "a program for x86-64", "one for " + process.image().machine());
      }
      String interpreter = dynamicInterpreter(process, file);
      ModelledProcess.Interpreter mapped =
          interpreter == null
              ? new ModelledProcess.Interpreter(0, process.entry())
              : process.mapInterpreter(open(interpreter));
      long stack = new InitialStack(process, new UserMemory(process.space())).write(mapped.bias());
      String canonical = kernel.files().path(directory, FileName.of(path)).exactText();
      whole = true;
      return new LoadedProgram(process, path, canonical, mapped.entry(), stack, heapStart(process));
    } finally {
      if (!whole) {
        process.close();
      }
    }
  }

  /** The path in PT_INTERP, or null: then the program is static. */
  private static String dynamicInterpreter(ModelledProcess process, ReadableFile file)
      throws IOException {
    for (ProgramHeader header : process.image().headers()) {
      if (header.type() == PT_INTERP && header.fileSize() > 1) {
        byte[] path = new byte[(int) Math.min(header.fileSize(), LONGEST_PATH) - 1];
        file.read(header.offset(), MemorySegment.ofArray(path));
        return new String(path, StandardCharsets.ISO_8859_1);
      }
    }
    return null;
  }

  /** The heap begins behind the last segment. */
  private static long heapStart(ModelledProcess process) {
    List<LoadableSegment> segments = process.image().segments();
    return Pages.roundUp(segments.getLast().pages().end() + process.bias());
  }
}
