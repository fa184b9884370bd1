# Node's current LTS.
FROM node:24-bookworm-slim AS build
WORKDIR /nightshift
COPY . .
RUN npm ci && npm prune --omit=dev --ignore-scripts

FROM node:24-bookworm-slim
ENV NODE_ENV=production
COPY --from=build /nightshift/dist /nightshift/dist
COPY --from=build /nightshift/schemas /nightshift/schemas
COPY --from=build /nightshift/node_modules /nightshift/node_modules
COPY --from=build /nightshift/package.json /nightshift/LICENSE /nightshift/THIRD-PARTY-LICENSES.md /nightshift/
# Volumes that are mounted here belong to the plain user from the beginning. The program itself belongs to root.
RUN install -d -o node -g node /project /project/warehouse && install -d -o node -g node -m 700 /project/.nightshift
# `docker compose exec web nightshift status`: the same commands as outside.
RUN chmod 755 /nightshift/dist/cli.js && ln -s /nightshift/dist/cli.js /usr/local/bin/nightshift
USER node
WORKDIR /project
# The pages listen on 127.0.0.1 unless told otherwise: `web --host 0.0.0.0`, which wants users (nightshift user add).
EXPOSE 8080
ENTRYPOINT ["node", "/nightshift/dist/cli.js"]
