package dev.xip.measure;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.Supplier;
import javax.imageio.ImageIO;
import org.knowm.xchart.ChartEncoder;
import org.knowm.xchart.internal.chartpart.IChart;

/** Writes charts to files. */
public final class Drawing {
  private Drawing() {}

  /**
   * Says what kind of picture a name asks for.
   *
   * @param file the name
   * @return {@code png} or {@code svg}
   * @throws IOException if it ends in neither
   */
  public static String format(Path file) throws IOException {
    String name = file.toString().toLowerCase(Locale.ROOT);
    String format = name.substring(name.lastIndexOf('.') + 1);
    if (!format.equals("svg") && !format.equals("png")) {
      throw new IOException("chart " + file + ": expected a name that ends in .png or .svg");
    }
    return format;
  }

  /** Writes a chart as its name says; a file that is there is replaced. */
  static void write(Supplier<? extends IChart> chart, Path file) throws IOException {
    String format = format(file);
    ImageIO.setUseCache(false); // which would be a file in a folder of its own choice
    Files.write(file, ChartEncoder.getBytes(chart.get(), format));
  }
}
