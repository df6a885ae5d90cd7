# The app in a container: docker compose up, or docker build -t ddeq . && docker run -p 8501:8501 ddeq
FROM python:3.11-slim

# Another index builds for other machines, such as https://download.pytorch.org/whl/cu128.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu

WORKDIR /srv/ddeq
COPY packages.txt ./
COPY tools/system_packages.sh tools/
RUN sh tools/system_packages.sh packages.txt && rm -rf /var/lib/apt/lists/*
COPY requirements.txt ./
RUN pip install --no-cache-dir --extra-index-url ${TORCH_INDEX} -r requirements.txt

COPY app.py ./
COPY .streamlit .streamlit
COPY pages pages
COPY ddeq ddeq
COPY assets assets
COPY recipes recipes
# Compiled once, here, as the file system is read-only where it runs.
RUN python -m compileall -q ddeq pages app.py && useradd --create-home ddeq
USER ddeq

EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://localhost:8501/_stcore/health')"]
CMD ["streamlit", "run", "app.py", "--server.address=0.0.0.0", "--server.headless=true"]
